// The descriptor of one interrupt line: its chip, its flow, and the chain of its handlers.
//
// A line lives as long as the kernel. Rules that keep the way of an interrupt short:
//
// - `state` is guarded by a lock that interrupts take too, so others take it with interrupts off.
// - The handlers are changed only under that lock and while `inProgress` is false; the flow sets it under
//   the lock, and then reads the handlers without it. So a handler never runs twice at once, and one that
//   has been freed does not run any more.
// - An edge that comes while the handlers run, or while the line is disabled, is kept in `isPending`.
// - The input is masked while somebody wants it so: `disableDepth`, threads of a one-shot line that have not ended
//   (`threadsRunning`), a storm being throttled (`isThrottled`). It is unmasked when the last of these is gone.

import Machine
import Primitives
import Synchronization

@safe struct IRQLine: ~Copyable {
    static let maximumHandlers = 8

    struct State: ~Copyable {
        /// Why handlers may not run now, a bit each; and whether an interrupt waits for them. One look at this word decides on
        /// the way of an interrupt.
        var flags = Flags.noHandlers

        /// The first `count` handlers are valid.
        var count = 0 { didSet { set(.noHandlers, count == 0) } }
        var isShared = false
        /// The line stays masked until the threads that its handlers woke have ended their work.
        var isOneShot = false
        /// How many `disable`s have had no `enable` yet.
        var disableDepth = 0 { didSet { set(.disabled, disableDepth > 0) } }
        /// Threads of handlers that have been woken and have not called `IRQ.threadEnded` yet.
        var threadsRunning = 0 { didSet { set(.threadsRunning, threadsRunning > 0) } }
        /// What the chip says.
        var isMasked = true
        var wiring: LineWiring
        /// Where the line's interrupts go; nil while nobody has it.
        var target: InterruptTarget?
        /// Where they went before the last move: one may still have been on its way. Given back at the next change.
        var previous: InterruptTarget?
        /// The CPUs that may get the line, as somebody asked for; nil for all.
        var affinity: CPUMask?
        var rate = InterruptRate()
        /// Nobody claims it: masked, and polled (IRQLine+Storm.swift).
        var isStormed = false

        init(wiring: LineWiring) { self.wiring = wiring }

        /// Too many at once: masked until the next poll.
        var isThrottled: Bool {
            get { flags.contains(.throttled) }
            set { set(.throttled, newValue) }
        }

        var inProgress: Bool {
            get { flags.contains(.inProgress) }
            set { set(.inProgress, newValue) }
        }

        var isPending: Bool {
            get { flags.contains(.pending) }
            set { set(.pending, newValue) }
        }

        /// Whether nobody wants the input masked.
        @inline(__always)
        var mayRun: Bool { flags.isDisjoint(with: .masking) }

        @inline(__always)
        private mutating func set(_ flag: Flags, _ isSet: Bool) {
            if isSet { flags.insert(flag) } else { flags.remove(flag) }
        }
    }

    struct Flags: OptionSet {
        let rawValue: UInt32
        static let inProgress = Flags(rawValue: 1)
        static let disabled = Flags(rawValue: 2)
        static let threadsRunning = Flags(rawValue: 4)
        static let throttled = Flags(rawValue: 8)
        static let noHandlers = Flags(rawValue: 16)
        static let pending = Flags(rawValue: 32)
        /// Disabled, threads running, throttled.
        static let masking = Flags(rawValue: 2 | 4 | 8)
        /// These, in progress, and no handlers.
        static let blockers = Flags(rawValue: 1 | 2 | 4 | 8 | 16)
    }

    /// The number that drivers and /proc/interrupts know it by.
    let number: Int
    let chip: LineChip
    /// Whether the chip is an 8259, with a flow of its own.
    let isLegacy: Bool
    let state: SpinLock<State>
    /// See the rules above.
    let handlers: UnsafeMutablePointer<IRQHandler>
    /// How often it came on each CPU; each entry is written by its CPU only.
    let counts: UnsafeMutablePointer<UInt64>
    let unclaimed = Atomic<UInt>(0)
    /// `CycleClock` at the last interrupt nobody claimed.
    let lastUnclaimed = Atomic<UInt64>(0)

    /// Boot or task context; allocates.
    init(number: Int, chip: LineChip, wiring: LineWiring, cpus: Int) {
        self.number = number
        self.chip = chip
        isLegacy = chip.isLegacy
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
