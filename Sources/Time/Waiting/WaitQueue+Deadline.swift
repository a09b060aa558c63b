// Waiting for something, but not for ever.

import Machine
import Primitives
import Tasks

/// How a wait with a deadline ended.
public enum WaitResult: Equatable, Sendable {
    case satisfied
    case timedOut
}

extension WaitQueue {
    /// Waits until `attempt` returns something, and returns that; nil if the deadline passed first. Else as `wait`
    /// without a deadline. `attempt` runs once more after the deadline, so what came in time is not lost.
    public func wait<R>(
        _ task: borrowing TaskContext, interruptible: Bool = true, killable: Bool = false,
        exclusive: Bool = false, deadline: Deadline?, for attempt: () throws(Errno) -> R?
    ) throws(Errno) -> R? {
        guard let deadline, deadline.time != .max else {
            return try wait(
                task, interruptible: interruptible, killable: killable, exclusive: exclusive, for: attempt)
        }
        if let result = try attempt() { return result }
        return try Alarm.with(deadline) { (alarm) throws(Errno) -> R? in
            alarm.arm()
            return try wait(task, interruptible: interruptible, killable: killable, exclusive: exclusive) {
                () throws(Errno) -> R?? in
                // Looked at before the attempt: a ring in between is seen the next time.
                let isOver = alarm.hasRung
                if let result = try attempt() { return .some(.some(result)) }
                return isOver ? .some(.none) : nil
            }
        }
    }

    /// Waits until `condition` is true or the deadline has passed.
    public func wait(
        _ task: borrowing TaskContext, interruptible: Bool = true, killable: Bool = false,
        exclusive: Bool = false, deadline: Deadline?, until condition: () -> Bool
    ) throws(Errno) -> WaitResult {
        let result: Void? = try wait(
            task, interruptible: interruptible, killable: killable, exclusive: exclusive, deadline: deadline
        ) { () throws(Errno) -> Void? in condition() ? () : nil }
        return result == nil ? .timedOut : .satisfied
    }
}

extension PollTable {
    /// Sleeps until one of the queues is woken or the deadline has passed (`.timedOut`).
    public func sleep(_ task: borrowing TaskContext, until deadline: Deadline) throws(Errno) -> WaitResult {
        try Alarm.with(deadline) { (alarm) throws(Errno) -> WaitResult in
            alarm.arm()
            try sleep(task) { alarm.hasRung }
            return alarm.hasRung ? .timedOut : .satisfied
        }
    }
}
