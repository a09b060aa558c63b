// Sleeping until a time.

import Machine
import Primitives
import Tasks

extension Thread {
    /// `park`, but not for ever: until `condition` is true or the deadline has passed.
    public static func park(
        _ task: borrowing TaskContext, interruptible: Bool, deadline: Deadline?, until condition: () -> Bool
    ) throws(Errno) -> WaitResult {
        guard let deadline, deadline.time != .max else {
            try park(task, interruptible: interruptible, until: condition)
            return .satisfied
        }
        return try Alarm.with(deadline) { (alarm) throws(Errno) -> WaitResult in
            alarm.arm()
            try park(task, interruptible: interruptible) { alarm.hasRung || condition() }
            return condition() ? .satisfied : .timedOut
        }
    }

    /// Sleeps until the deadline, never shorter. Throws `.restartSystem` when a signal is pending, if `interruptible`.
    public static func sleep(
        until deadline: Deadline, interruptible: Bool = true, _ task: borrowing TaskContext
    ) throws(Errno) {
        if deadline.hasPassed { return }
        try Alarm.with(deadline) { (alarm) throws(Errno) in
            alarm.arm()
            try park(task, interruptible: interruptible) { alarm.hasRung }
        }
    }

    /// Sleeps for `duration` nanoseconds, whatever signals come.
    public static func sleep(for duration: UInt64, _ task: borrowing TaskContext) {
        do throws(Errno) {
            try sleep(until: .after(duration), interruptible: false, task)
        } catch {
            // Only signals end a sleep early, and they do not end this one.
        }
    }
}
