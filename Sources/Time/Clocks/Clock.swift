// The clocks that the rest of the kernel reads.

import Machine
import Primitives
import Synchronization

/// Which clock a time is meant by.
public enum ClockBase: UInt8, Sendable {
    /// Nanoseconds since boot; never set, never back.
    case monotonic = 0
    /// Nanoseconds since 1970-01-01 00:00 UTC; can be set.
    case realtime = 1

    static let count = 2

    /// What the clock shows. Any context.
    @inline(__always)
    public var now: UInt64 {
        switch self {
        case .monotonic: Clock.monotonic
        case .realtime: Clock.realtime
        }
    }
}

public enum Clock {
    /// Jiffies a second: `/proc`'s and the ABI's tick.
    public static let ticksPerSecond: UInt64 = 250
    private static let nanosecondsPerTick: UInt64 = 1_000_000_000 / 250

    /// Nanoseconds since boot. Any context, NMI too.
    @inline(__always)
    public static var monotonic: UInt64 { CycleClock.now }

    /// Nanoseconds since 1970. Any context, NMI too.
    public static var realtime: UInt64 { monotonic &+ bootTime }

    /// Ticks since boot, as programs see them.
    public static var jiffies: UInt64 { monotonic / nanosecondsPerTick }

    /// When the machine was started, in nanoseconds since 1970 (`btime` of `/proc/stat`).
    public static var bootTime: UInt64 {
        unsafe TimeState.current.pointee.realtimeOffset.load(ordering: .acquiring)
    }

    /// Sets the wall clock. Timers of the realtime base follow it. Task or boot context.
    public static func setRealtime(_ nanoseconds: UInt64) {
        let offset = nanoseconds &- monotonic
        unsafe TimeState.current.pointee.realtimeOffset.store(offset, ordering: .sequentiallyConsistent)
        unsafe TimerQueue.clockWasSet()
    }
}
