// The time stamp counter.

import CMachine

public enum TSC {
    /// The counter, without order against other instructions.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func read() -> UInt64 { machine_rdtsc() }

    /// The counter, read after all earlier loads (Intel SDM volume 2, RDTSC).
    @_semantics("no_performance_analysis") @inline(__always)
    public static func readOrdered() -> UInt64 { machine_rdtsc_ordered() }
}
