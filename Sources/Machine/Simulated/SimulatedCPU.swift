// A simulated CPU: an area like the real one's, played by one host thread at a time.

import CMachine

@safe public final class SimulatedCPU: @unchecked Sendable {
    public let index: Int
    /// Owned by this object; only the host thread that plays this CPU touches it.
    private let area: UnsafeMutablePointer<cpu_area>
    var interruptsEnabled = true
    let machine = SimulatedMachine()
    var translation = SimulatedTranslation()
    /// See `UserAccess`.
    var userAccessIsGuarded = false
    var pageFault: (@Sendable (_ address: UInt, _ write: Bool) -> Bool)?

    /// The RAM of the machine this CPU belongs to.
    public let memory: SimulatedMemory

    /// A CPU of the machine with this RAM; alone in a machine of its own where none is given.
    public init(index: Int, memory: SimulatedMemory = SimulatedMemory()) {
        self.index = index
        self.memory = memory
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
    static var current: SimulatedCPU {
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

    static func switchFiber(from: OpaquePointer?, to: OpaquePointer?, carrying value: UInt) -> UInt {
        unsafe UInt(fiber_switch(from, to, value))
    }
}
