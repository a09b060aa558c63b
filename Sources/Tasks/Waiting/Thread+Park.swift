// Sleeping without a queue: whoever makes the condition true knows the thread and wakes it.

import Machine
import Primitives
import Synchronization

extension Thread {
    /// Sleeps until `condition` is true; it is checked at once and after each wake-up. With `interruptible`,
    /// throws `.restartSystem` when a signal is pending. `condition` must not sleep.
    public static func park(
        _ task: borrowing TaskContext, interruptible: Bool, until condition: () -> Bool
    ) throws(Errno) {
        if condition() { return }
        let thread = Thread.current
        let state: ThreadState = interruptible ? .interruptible : .uninterruptible
        defer { thread.setState(.running) }
        while true {
            thread.setState(state)
            if condition() { return }
            if thread.hears(state) { throw .restartSystem }
            Scheduler.schedule(task)
        }
    }

    /// Stands still for job control as long as `condition` holds. Who changes it calls `wake(from: .stopped)`.
    public static func standStill(_ task: borrowing TaskContext, while condition: () -> Bool) {
        let thread = Thread.current
        while condition() {
            thread.setState(.stopped)
            if condition() { Scheduler.schedule(task) }
            thread.setState(.running)
        }
    }

    /// Sleeps as a thread that waits for work does: signals do not end it, and it does not count as load.
    public static func parkIdle(_ task: borrowing TaskContext, until condition: () -> Bool) {
        let thread = Thread.current
        while !condition() {
            thread.setState(.resting)
            if !condition() { Scheduler.schedule(task) }
            thread.setState(.running)
        }
    }
}
