// The interrupt flag of a simulated CPU, waiting and spinning.

import CMachine
import Glibc

public enum InterruptFlag {
    public static let mask: UInt64 = 1 << 9

    /// Bit 0 of the last slot of the CPU's area plays RFLAGS.IF.
    public static var isEnabled: Bool { SimulatedCPU.current.interruptsEnabled }
    public static func enable() { SimulatedCPU.current.interruptsEnabled = true }
    public static func disable() { SimulatedCPU.current.interruptsEnabled = false }
    public static func enableAndHalt() {
        enable()
        sched_yield()
    }
}

public enum Spin {
    public static func pause() { sched_yield() }
    public static func halt() { sched_yield() }
    public static func interleave() {}
    public static func fence() {}
}
