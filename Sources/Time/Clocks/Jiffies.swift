// Jiffies: the coarse time of `Timer`s and of the ABI.

import Machine

/// Ticks since boot, of 4 ms. Nothing ticks: they are computed from the clock, so no CPU keeps them up to date.
public enum Jiffies {
    /// Linux's HZ; a build constant.
    public static let perSecond: UInt64 = 250
    /// Nanoseconds.
    public static let length: UInt64 = 1_000_000_000 / perSecond

    /// Those that have passed. Any context, NMI too.
    @inline(__always)
    public static var now: UInt64 { Clock.monotonic / length }

    /// The first one that begins `duration` nanoseconds from now or later.
    @inline(__always)
    public static func after(_ duration: UInt64) -> UInt64 {
        let (time, overflow) = (Clock.monotonic &+ (length - 1)).addingReportingOverflow(duration)
        return overflow ? .max : time / length
    }

    /// When a jiffy begins, in nanoseconds since boot; `.max` if that is further than these reach.
    @inline(__always)
    static func start(of jiffy: UInt64) -> UInt64 {
        let (time, overflow) = jiffy.multipliedReportingOverflow(by: length)
        return overflow ? .max : time
    }
}
