// Reading and setting clocks: clock_gettime and its kin, gettimeofday, time, adjtimex.

import Primitives
import Time

extension SystemCalls {
    static func clock_gettime(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let now: UInt64
        // The two that are asked for most.
        switch arguments.a0.asInt32 {
        case 1: now = Clock.monotonic
        case 0: now = Clock.realtime
        default: now = try ClockIdentifier(arguments.a0.asInt32).now()
        }
        try store(TimeSpecification(nanoseconds: now), to: arguments.a1, task)
        return 0
    }

    static func clock_getres(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let clock = try ClockIdentifier(arguments.a0.asInt32)
        // Clocks of processes that do not exist have no resolution.
        if case .process = clock { _ = try clock.now() }
        if case .thread = clock { _ = try clock.now() }
        if arguments.a1 != 0 {
            try store(TimeSpecification(nanoseconds: clock.resolution), to: arguments.a1, task)
        }
        return 0
    }

    static func clock_settime(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a0.asInt32 == 0 else {
            // CPU clocks exist, but nobody may set them.
            switch try ClockIdentifier(arguments.a0.asInt32) {
            case .process, .thread: throw .notPermitted
            default: throw .invalid
            }
        }
        try setRealtime(load(TimeSpecification.self, from: arguments.a1, task))
        return 0
    }

    private static func setRealtime(_ time: TimeSpecification) throws(Errno) {
        let nanoseconds = try time.checked()
        guard nanoseconds != .max else { throw .invalid }
        guard LinuxTask.current.credentials.has(.time) else { throw .notPermitted }
        // Boot time would be before 1970.
        guard nanoseconds >= Clock.monotonic else { throw .invalid }
        Clock.setRealtime(nanoseconds)
    }

    static func gettimeofday(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        if arguments.a0 != 0 {
            try store(TimeValue(nanoseconds: Clock.realtime), to: arguments.a0, task)
        }
        if arguments.a1 != 0 { try store(timeZone.withLock { $0 }, to: arguments.a1, task) }
        return 0
    }

    /// What `settimeofday` was told; the kernel itself counts in UTC. Task context.
    private struct TimeZone {
        var minutesWest: Int32 = 0
        var daylightSaving: Int32 = 0
    }
    private static let timeZone = SpinLock(TimeZone())

    static func settimeofday(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        if arguments.a0 != 0 {
            let value = try load(TimeValue.self, from: arguments.a0, task)
            let nanoseconds = try value.checked()
            try setRealtime(
                TimeSpecification(
                    seconds: value.seconds, nanoseconds: Int64(nanoseconds % 1_000_000_000)))
        }
        if arguments.a1 != 0 {
            let zone = try load(TimeZone.self, from: arguments.a1, task)
            guard LinuxTask.current.credentials.has(.time) else { throw .notPermitted }
            guard zone.minutesWest >= -900, zone.minutesWest <= 900 else { throw .invalid }
            timeZone.withLock { $0 = zone }
        }
        return 0
    }

    static func time(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let seconds = Int(Clock.realtime / 1_000_000_000)
        if arguments.a0 != 0 { try store(seconds, to: arguments.a0, task) }
        return seconds
    }

    /// `time` of 32-bit x86.
    static func compatibleTime(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let seconds = Int32(truncatingIfNeeded: Clock.realtime / 1_000_000_000)
        if arguments.a0 != 0 { try store(seconds, to: arguments.a0, task) }
        return Int(seconds)
    }

    static func adjtimex(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int { try adjust(arguments.a0, task) }

    static func clock_adjtime(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard try ClockIdentifier(arguments.a0.asInt32) == .realtime, arguments.a0.asInt32 == 0 else {
            throw .notSupported
        }
        return try adjust(arguments.a1, task)
    }

    /// What the clock's discipline says; steering it is refused. Answers TIME_ERROR: nobody keeps the clock in step.
    private static func adjust(_ address: UInt, _ task: borrowing TaskContext) throws(Errno) -> Int {
        var state = try load(ClockAdjustment.self, from: address, task)
        if state.modes != 0, !LinuxTask.current.credentials.has(.time) { throw .notPermitted }
        guard state.modes == 0 else { throw .notSupported }
        state = ClockAdjustment()
        let now = Clock.realtime
        state.seconds = Int64(now / 1_000_000_000)
        state.microseconds = Int64(now % 1_000_000_000 / 1000)
        try store(state, to: address, task)
        return 5
    }
}

/// `struct timex`: 208 bytes.
private struct ClockAdjustment {
    var modes: UInt32 = 0
    private var padding: UInt32 = 0
    var offset: Int64 = 0
    var frequency: Int64 = 0
    var maximumError: Int64 = 16_000_000
    var estimatedError: Int64 = 16_000_000
    /// STA_UNSYNC
    var status: Int32 = 0x40
    private var padding2: UInt32 = 0
    var constant: Int64 = 2
    var precision: Int64 = 1
    var tolerance: Int64 = 32_768_000
    var seconds: Int64 = 0
    var microseconds: Int64 = 0
    var tick: Int64 = 10_000
    private var rest = InlineArray<13, UInt64>(repeating: 0)
}
