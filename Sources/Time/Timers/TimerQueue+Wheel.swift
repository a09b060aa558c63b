// The timer wheels' part of a CPU's events.

import Deferred
import Machine
import Primitives
import Synchronization
import Tasks

extension TimerQueue {
    /// When the TIMER soft IRQ of this CPU has to run next; `.max` for never. Interrupts are off.
    static func setWheelEvents(_ time: UInt64, deferrable: UInt64) {
        unsafe TimeState.current.pointee.queues.withRemote(CPU.index) { queue in
            unsafe queue.hasDeferrable.store(deferrable != .max, ordering: .relaxed)
            unsafe queue.heads.withLockInterruptsOff { heads, _ in
                unsafe heads.wheelEvent = time
                unsafe heads.deferrableEvent = deferrable
                unsafe queue.setEvent(
                    &heads, notAfter: deferrable < time && !Scheduler.isIdle ? deferrable : time)
            }
        }
    }

    /// Raises the TIMER soft IRQ if its time has come; it says when to do so again. Lock held.
    borrowing func raiseTimer(_ heads: inout Heads, _ context: borrowing HardInterruptContext) {
        let first = unsafe min(heads.wheelEvent, heads.deferrableEvent)
        guard first != .max, first <= Clock.monotonic else { return }
        unsafe heads.wheelEvent = .max
        unsafe heads.deferrableEvent = .max
        SoftInterrupts.raise(.timer, context)
    }

    /// This CPU becomes idle, or busy again: whether deferrable timers count changes. Under the run queue's lock, interrupts
    /// off.
    @_noAllocation
    static func idleChanged(_ isIdle: Bool) {
        unsafe TimeState.current.pointee.queues.withRemote(CPU.index) { queue in
            if unsafe queue.hasDeferrable.load(ordering: .relaxed) { unsafe queue.countDeferrable(!isIdle) }
        }
    }

    @inline(never)
    private borrowing func countDeferrable(_ counts: Bool) {
        unsafe heads.withLockInterruptsOff { heads, _ in
            let event = unsafe heads.deferrableEvent
            if counts { return unsafe setEvent(&heads, notAfter: event) }
            guard unsafe heads.event == event else { return }
            // Set for them alone: to what comes besides, or so far that it does not matter.
            unsafe heads.event = unsafe min(min(heads.wheelEvent, heads.sliceEnd), firstOfQueues(heads))
            unsafe ClockEvents.set(heads.event)
        }
    }
}
