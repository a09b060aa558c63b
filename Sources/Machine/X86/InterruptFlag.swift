// The interrupt flag of this CPU, waiting and spinning.

import CMachine

public enum InterruptFlag {
    /// RFLAGS.IF (Intel SDM volume 1, 3.4.3).
    public static let mask: UInt64 = 1 << 9

    @_semantics("no_performance_analysis") @inline(__always)
    public static var isEnabled: Bool { machine_read_flags() & mask != 0 }

    @_semantics("no_performance_analysis") @inline(__always)
    public static func enable() { machine_sti() }

    @_semantics("no_performance_analysis") @inline(__always)
    public static func disable() { machine_cli() }

    /// Turns interrupts on and sleeps until one arrives, with no window between the two.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func enableAndHalt() { machine_enable_and_halt() }
}

public enum Spin {
    /// To be called in every turn of a loop that waits for another CPU.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func pause() { machine_pause() }

    /// Sleeps until the next interrupt that can come: an NMI only, if interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func halt() { machine_halt() }

    /// Where the simulated machine may let another CPU run; nothing on x86.
    @inline(__always) public static func interleave() {}

    /// Orders all earlier loads and stores before all later ones.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func fence() { machine_fence() }
}
