// Disabling, enabling and killing tasklets.

import Machine
import Primitives
import Synchronization
import Tasks

extension TaskletQueue {
    @inline(__always)
    static func disable(_ tasklet: TaskletCore.Pointer) {
        _ = unsafe tasklet.pointee.state.wrappingAdd(
            TaskletCore.disabled, ordering: .sequentiallyConsistent)
    }

    /// Waits until a handler that runs has returned.
    static func awaitHandler(_ tasklet: TaskletCore.Pointer, _ task: borrowing TaskContext) {
        unsafe awaitIdle(tasklet, TaskletCore.running, task)
        // It is not awaited any more; others who do look again, and say so again.
        _ = unsafe tasklet.pointee.state.bitwiseAnd(
            ~TaskletCore.awaited, ordering: .sequentiallyConsistent)
        wakeWaiters()
    }

    static func enable(_ tasklet: TaskletCore.Pointer) throws(Errno) {
        while true {
            let seen = unsafe tasklet.pointee.state.load(ordering: .relaxed)
            if unsafe seen & TaskletCore.disabledMask == 0 {
                let name = unsafe tasklet.pointee.name
                printk(.error, "tasklet \(name): enabled, but it was not disabled")
                throw .invalid
            }
            let next = unsafe seen &- TaskletCore.disabled
            guard unsafe tasklet.pointee.exchange(seen, next) else { continue }
            if unsafe next & TaskletCore.disabledMask == 0, unsafe next & TaskletCore.scheduled != 0 {
                unsafe lookAgain(tasklet)
            }
            return
        }
    }

    /// Makes the CPU that has the tasklet in its queue, if one has, run the queue.
    private static func lookAgain(_ tasklet: TaskletCore.Pointer) {
        Spin.interleave()
        // Of before, if no CPU has found it disabled in its queue; then that one will look after this.
        let cpu = unsafe Int(tasklet.pointee.cpu.load(ordering: .sequentiallyConsistent))
        SoftInterrupts.raise(.high, onCPU: cpu)
        SoftInterrupts.raise(.tasklet, onCPU: cpu)
    }

    static func kill(_ tasklet: TaskletCore.Pointer, _ task: borrowing TaskContext) {
        let seen = unsafe tasklet.pointee.state.bitwiseOr(
            TaskletCore.dying, ordering: .sequentiallyConsistent
        ).oldValue
        // One that is disabled waits in a queue at which nobody would look.
        if unsafe seen & TaskletCore.disabledMask != 0, unsafe seen & TaskletCore.scheduled != 0 {
            unsafe lookAgain(tasklet)
        }
        unsafe awaitIdle(tasklet, TaskletCore.running | TaskletCore.scheduled, task)
        _ = unsafe tasklet.pointee.state.bitwiseOr(TaskletCore.dead, ordering: .relaxed)
    }

    /// Sleeps until none of `bits` is set.
    private static func awaitIdle(
        _ tasklet: TaskletCore.Pointer, _ bits: UInt32, _ task: borrowing TaskContext
    ) {
        unsafe DeferredState.current.pointee.taskletWaiters.waitUninterruptibly(task) {
            unsafe tasklet.pointee.state.bitwiseOr(TaskletCore.awaited, ordering: .sequentiallyConsistent)
                .oldValue & bits == 0
        }
    }
}
