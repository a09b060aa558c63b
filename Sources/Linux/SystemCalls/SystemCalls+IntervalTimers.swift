// alarm, setitimer, getitimer.

import Primitives

/// `struct itimerval`.
private struct IntervalValue {
    var interval: TimeValue
    var value: TimeValue

    init(_ state: (remaining: UInt64, interval: UInt64)) {
        interval = TimeValue(nanoseconds: state.interval)
        // What is left of a microsecond counts as one: 0 would mean that the timer does not run.
        value = TimeValue(nanoseconds: state.remaining.addingClamped(999))
        if state.remaining == 0 { value = TimeValue(nanoseconds: 0) }
    }
}

extension SystemCalls {
    private static func kind(_ argument: UInt) throws(Errno) -> IntervalTimer.Kind {
        guard let kind = IntervalTimer.Kind(rawValue: Int(argument.asInt32)), kind != .limit else {
            throw .invalid
        }
        return kind
    }

    static func getitimer(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let process = LinuxTask.current.process
        let state = process.timers.exchange(try kind(arguments.a0), nil, of: process, task)
        try store(IntervalValue(state), to: arguments.a1, task)
        return 0
    }

    static func setitimer(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let kind = try kind(arguments.a0)
        var new: (duration: UInt64, interval: UInt64) = (0, 0)
        if arguments.a1 != 0 {
            let value = try load(IntervalValue.self, from: arguments.a1, task)
            new = (try value.value.checked(), try value.interval.checked())
        }
        let process = LinuxTask.current.process
        let old = process.timers.exchange(kind, new, of: process, task)
        if arguments.a2 != 0 { try store(IntervalValue(old), to: arguments.a2, task) }
        return 0
    }

    static func alarm(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let process = LinuxTask.current.process
        let duration = UInt64(arguments.a0.asUInt32) * 1_000_000_000
        let old = process.timers.exchange(.real, (duration, 0), of: process, task)
        // Rounded, but not to 0 while the alarm is still to come.
        let seconds = Int((old.remaining + 500_000_000) / 1_000_000_000)
        return old.remaining > 0 ? max(seconds, 1) : 0
    }
}
