// A simulated machine with an I/O APIC and a local APIC, for tests of lines. Lines live as long as the
// kernel, so all tests share one set, and each uses a line of its own or frees it.

import Machine
import Primitives
import Synchronization

@testable import Interrupts

final class LineMachine: Sendable {
    private static let apicWindow = VirtualAddress(0xfee0_0000)
    private static let ioWindow = VirtualAddress(0xfec0_0000)
    private static let ioAPIC = SimulatedIOAPIC(count: 24)
    private static let isMade = Mutex(false)

    private let hardware = SimulatedHardware()
    let apic = SimulatedLocalAPIC()
    let cpu = SimulatedCPU(index: 0)
    var io: SimulatedIOAPIC { Self.ioAPIC }

    /// Line 0 is wired to input 2, line 9 is level and active low.
    static let overrides: [MADT.SourceOverride] = [
        .init(source: 0, line: 2, wiring: .isa),
        .init(source: 9, line: 9, wiring: .init(isActiveLow: true, isLevel: true)),
    ]

    init() {
        cpu.bind()
        SimulatedMemoryBus.attach(apic, at: Self.apicWindow)
        SimulatedMemoryBus.attach(Self.ioAPIC, at: Self.ioWindow)
        LocalAPIC.configure(registers: Self.apicWindow, hasX2APIC: false)
        Self.isMade.withLock { made in
            if made { return }
            made = true
            IOAPICs.add(IOAPIC(registers: Self.ioWindow)!, identifier: 0, firstLine: 0)
            IRQLines.initialize(overrides: Self.overrides, cpus: CPUs.count)
        }
    }

    /// What the hardware and the entry code do when an input's line rises: false when it is masked.
    @discardableResult
    func interrupt(_ pin: Int) -> Bool {
        guard let vector = io.raise(pin) else { return false }
        deliver(vector)
        return true
    }

    func deliver(_ vector: UInt8) {
        apic.accept(vector)
        withHardInterrupt { Vectors.dispatch(vector, $0) }
    }

    /// What the timer of `IRQPollHook` does.
    func poll() -> Bool {
        var isNeeded = false
        withHardInterrupt { isNeeded = IRQ.poll($0) }
        return isNeeded
    }

    private func withHardInterrupt(_ body: (borrowing HardInterruptContext) -> Void) {
        InterruptFlag.disable()
        PreemptCount.add(PreemptCount.hardInterrupt)
        ContextMaker.withHardInterrupt(body)
        _ = PreemptCount.subtractIsZero(PreemptCount.hardInterrupt)
        InterruptFlag.enable()
    }
}

/// How often handlers ran, by their word.
enum Calls {
    static let counts = (0..<16).map { _ in Counter() }
    final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }
    static func count(_ word: UInt) -> Int { counts[Int(word)].value.load(ordering: .relaxed) }
    static func add(_ word: UInt) { counts[Int(word)].value.wrappingAdd(1, ordering: .relaxed) }
    static func clear() { for counter in counts { counter.value.store(0, ordering: .relaxed) } }
}
