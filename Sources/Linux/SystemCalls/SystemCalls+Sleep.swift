// nanosleep and clock_nanosleep.

import Primitives
import Tasks
import Time

extension SystemCalls {
    static func nanosleep(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let duration = try load(TimeSpecification.self, from: arguments.a0, task).checked()
        try sleep(SleepRequest(deadline: .after(duration), remaining: arguments.a1), task)
        return 0
    }

    static func clock_nanosleep(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let clock = try ClockIdentifier(arguments.a0.asInt32)
        let base = try clock.waitable()
        let isAbsolute = arguments.a1.asInt32 & 1 != 0  // TIMER_ABSTIME
        let time = try load(TimeSpecification.self, from: arguments.a2, task).checked()
        guard let base else {
            try sleep(by: clock, until: isAbsolute ? time : time.addingClamped(clock.now()), task)
            return 0
        }
        guard isAbsolute else {
            // A setting of the wall clock does not change how long a relative sleep is.
            try sleep(SleepRequest(deadline: .after(time), remaining: arguments.a3), task)
            return 0
        }
        do throws(Errno) {
            try Thread.sleep(until: Deadline(base, at: time), task)
        } catch { throw .restartNoHandler }
        return 0
    }

    /// Sleeps; a signal stores what is left of it, and without a handler it goes on with the same end.
    static func sleep(_ request: SleepRequest, _ task: borrowing TaskContext) throws(Errno) {
        do throws(Errno) {
            try Thread.sleep(until: request.deadline, task)
        } catch {
            let remaining = request.deadline.remaining
            if remaining == 0 { return }
            if request.remaining != 0 {
                try store(TimeSpecification(nanoseconds: remaining), to: request.remaining, task)
            }
            LinuxTask.current.restart = .sleep(request)
            throw .restartBlock
        }
    }

    /// Sleeps until a process's CPU clock shows `time`. CPU time passes no faster than wall time on each of its
    /// threads, so sleeping for that long and looking again comes to an end.
    private static func sleep(
        by clock: ClockIdentifier, until time: UInt64, _ task: borrowing TaskContext
    ) throws(Errno) {
        while true {
            let now = try clock.now()
            if now >= time { return }
            let threads = UInt64(max(CPUs.count, 1))
            do throws(Errno) {
                try Thread.sleep(until: .after(max((time - now) / threads, 100_000)), task)
            } catch { throw .interrupted }
        }
    }
}

extension UInt64 {
    /// The sum, or the largest number.
    func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
