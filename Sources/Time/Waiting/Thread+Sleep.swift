// Sleeping until a time.

import Machine
import Primitives
import Tasks

extension Thread {
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
