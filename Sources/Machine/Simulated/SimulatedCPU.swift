// A simulated CPU: an area like the real one's, an interrupt flag, pending interrupts and a timer.

import CMachine

@safe public final class SimulatedCPU: @unchecked Sendable {
    public let index: Int
    /// Owned by this object; only the host thread that plays this CPU touches it.
    private let area: UnsafeMutablePointer<cpu_area>

    public let machine: SimulatedMachine
    /// The RAM of the machine this CPU belongs to.
    public let memory: SimulatedMemory
    /// What this CPU's translations would be; see `Translation`.
    var translation = SimulatedTranslation()
    /// See `UserAccess`.
    var pageFault: (@Sendable (_ address: UInt, _ write: Bool) -> Bool)?

    // MARK: Interrupts

    var interruptsEnabled = true
    /// Vectors that wait for the interrupt flag, a bit each.
    private var pending = InlineArray<4, UInt64>(repeating: 0)
    /// Waits in `enableAndHalt`.
    var isHalted = false
    private(set) var interruptsTaken: UInt64 = 0
    var interruptsTakenAtHalt: UInt64 = 0
    /// When the local timer raises its vector; `.max` never.
    public var timerDeadline: UInt64 = .max

    public static let timerVector: UInt8 = 239

    // MARK: Fibers

    /// What the CPU runs, or would go on with.
    var fiber: OpaquePointer?

    /// A CPU with this RAM; alone in a machine of its own where none is given.
    public init(
        index: Int, memory: SimulatedMemory = SimulatedMemory(),
        machine: SimulatedMachine = SimulatedMachine()
    ) {
        self.index = index
        self.memory = memory
        self.machine = machine
        unsafe area = .allocate(capacity: 1)
        unsafe area.initialize(to: cpu_area())
        unsafe area.pointee.`self` = area
        unsafe area.pointee.index = UInt32(index)
        unsafe area.pointee.preempt_count = PreemptCount.noReschedule
    }

    deinit {
        unsafe cpu_area_unbind(area)
        unsafe area.deallocate()
    }

    /// The CPU that the calling host thread plays; CPU 0 of a machine of its own where no test chose one.
    public static var current: SimulatedCPU {
        if let cpu = SimulatedThread.cpu { return cpu }
        let cpu = SimulatedCPU(index: 0)
        cpu.bind()
        return cpu
    }

    /// From now on the calling host thread plays this CPU.
    public func bind() {
        SimulatedThread.cpu = self
        unsafe cpu_area_bind(area)
    }

    /// Makes `vector` pending; it is taken when interrupts are on. Any CPU may raise it.
    public func raise(_ vector: UInt8) {
        pending[Int(vector >> 6)] |= 1 << UInt64(vector & 63)
        if interruptsEnabled { isHalted = false }
    }

    /// The CPU has been switched off: what was on its way to it is gone.
    public func forgetInterrupts() { for word in 0..<4 { pending[word] = 0 } }

    /// Takes pending interrupts, highest vector first, if interrupts are on. On this CPU.
    func takeInterrupts() {
        while interruptsEnabled, let vector = takePending() {
            interruptsEnabled = false
            interruptsTaken += 1
            machine.interruptEntry?(vector)
            // The thread may go on on another CPU than the one that took the interrupt.
            let here = SimulatedCPU.current
            here.interruptsEnabled = true
            if here !== self { return here.takeInterrupts() }
        }
    }

    private func takePending() -> UInt8? {
        for word in (0..<4).reversed() where pending[word] != 0 {
            let bit = 63 - pending[word].leadingZeroBitCount
            pending[word] &= ~(1 << UInt64(bit))
            return UInt8(word * 64 + bit)
        }
        return nil
    }

    /// Goes on with another fiber on this CPU.
    static func switchFiber(_ next: OpaquePointer?, carrying value: UInt) -> UInt {
        let cpu = current
        let old = unsafe cpu.fiber
        unsafe cpu.fiber = next
        return unsafe UInt(fiber_switch(old, next, value))
    }
}
