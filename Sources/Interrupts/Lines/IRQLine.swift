// The descriptor of one interrupt line: its chip's input, its flow, and the chain of its handlers.
//
// A line lives as long as the kernel. Rules that keep the way of an interrupt short:
//
// - `state` is guarded by a lock that interrupts take too, so others take it with interrupts off.
// - The handlers are changed only under that lock and while `inProgress` is false; the flow sets it under
//   the lock, and then reads the handlers without it. So a handler never runs twice at once, and one that
//   has been freed does not run any more.
// - An edge that comes while the handlers run, or while the line is disabled, is kept in `isPending`.

import Machine
import Primitives
import Synchronization

@safe struct IRQLine: ~Copyable {
    static let maximumHandlers = 8

    struct State: ~Copyable {
        /// The first `count` handlers are valid.
        var count = 0
        var isShared = false
        /// How many `disable`s have had no `enable` yet.
        var disableDepth = 0
        var inProgress = false
        var isPending = false
        /// What the input's entry says.
        var isMasked = true
        var wiring: LineWiring
        /// Where the line's interrupts go; nil while nobody has it.
        var target: InterruptTarget?
        /// Since the last look: interrupts, and those nobody claimed.
        var recent = 0
        var recentUnclaimed = 0
        var isStormed = false
    }

    /// The number that drivers and /proc/interrupts know it by.
    let number: Int
    /// Which I/O APIC's input it is.
    let input: IOAPICInput
    let state: SpinLock<State>
    /// See the rules above.
    let handlers: UnsafeMutablePointer<IRQHandler>
    /// How often it came on each CPU; each entry is written by its CPU only.
    let counts: UnsafeMutablePointer<UInt64>
    let unclaimed = Atomic<UInt>(0)

    /// Boot only; allocates.
    init(number: Int, input: IOAPICInput, wiring: LineWiring, cpus: Int) {
        self.number = number
        self.input = input
        state = SpinLock(State(wiring: wiring))
        unsafe handlers = .allocate(capacity: Self.maximumHandlers)
        unsafe counts = .allocate(capacity: cpus)
        unsafe counts.initialize(repeating: 0, count: cpus)
    }

    /// How often it came on `cpu`; a figure of the moment.
    func count(on cpu: Int) -> UInt64 { unsafe counts[cpu] }
}

/// A CPU and the vector that a line has there.
struct InterruptTarget: Equatable {
    var cpu: Int
    var apicID: UInt32
    var vector: UInt8
}
