// A point in time at which waiting ends.

import Machine
import Primitives

/// A time of a clock.
public struct Deadline: Equatable, Sendable {
    public let clock: ClockBase
    /// Nanoseconds of that clock; `.max` never comes.
    public let time: UInt64

    public init(_ clock: ClockBase = .monotonic, at time: UInt64) {
        self.clock = clock
        self.time = time
    }

    /// In `duration` nanoseconds from now.
    public static func after(_ duration: UInt64) -> Deadline {
        let (time, overflow) = Clock.monotonic.addingReportingOverflow(duration)
        return Deadline(at: overflow ? .max : time)
    }

    public var hasPassed: Bool { clock.now >= time }

    /// Nanoseconds left, 0 if it has passed.
    public var remaining: UInt64 {
        let now = clock.now
        return time > now ? time - now : 0
    }
}
