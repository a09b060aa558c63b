// The timer interrupt: what is due is called, and the device set to what comes next.

import Machine
import Primitives
import Synchronization
import Tasks

extension TimerQueue {
    /// The whole timer interrupt of this CPU.
    borrowing func interrupt(_ context: borrowing HardInterruptContext) {
        unsafe heads.withLockInterruptsOff { heads, _ in
            unsafe heads.isExpiring = true
            unsafe noteLateness(of: heads.event)
            unsafe heads.event = .max
        }
        // A function that keeps its CPU busy must not keep it here: new work waits for the next interrupt.
        var left = 1000
        while left > 0, unsafe expireFirst(context) { left -= 1 }
        let slice = Scheduler.sliceTick()
        unsafe heads.withLockInterruptsOff { heads, _ in
            unsafe heads.sliceEnd = slice
            unsafe heads.isExpiring = false
            unsafe raiseTimer(&heads, context)
            unsafe setEvent(&heads, notAfter: next(heads))
        }
    }

    /// How late the interrupt comes, unless it is another's (a clock was set, or a CPU went).
    @inline(__always)
    private borrowing func noteLateness(of event: UInt64) {
        let now = CycleClock.now
        if now >= event { Latency.interruptsOff.note(CycleClock.cycles(nanoseconds: now &- event)) }
    }

    /// When this CPU must be interrupted next. Lock held.
    borrowing func next(_ heads: borrowing Heads) -> UInt64 {
        let time = unsafe min(min(heads.sliceEnd, heads.wheelEvent), firstOfQueues(heads))
        return unsafe heads.deferrableEvent < time && !Scheduler.isIdle ? heads.deferrableEvent : time
    }

    /// When the first high-resolution timer expires. Lock held.
    borrowing func firstOfQueues(_ heads: borrowing Heads) -> UInt64 {
        var time = UInt64.max
        if let first = unsafe heads.monotonic.first { unsafe time = first.pointee.key }
        if let first = unsafe heads.realtime.first {
            unsafe time = min(time, TimerQueue.monotonicTime(first.pointee.key, .realtime))
        }
        return time
    }

    /// Calls the function of one timer that is due; false if none is.
    private borrowing func expireFirst(_ context: borrowing HardInterruptContext) -> Bool {
        guard let timer = unsafe beginExpiry() else { return false }
        let next = unsafe Self.call(timer, context)
        unsafe heads.withLockInterruptsOff { heads, _ in
            // From here on the timer may be gone, unless its function wants it to go on.
            unsafe heads.running = nil
            if case .again(let time) = next, unsafe !timer.pointee.node.isLinked {
                unsafe insert(&heads, timer, at: time)
            }
        }
        return true
    }

    /// Takes out a timer that is due and marks it as running.
    private borrowing func beginExpiry() -> TimerCore.Pointer? {
        unsafe heads.withLockInterruptsOff { heads, _ in
            let now = Clock.monotonic
            if let first = unsafe heads.monotonic.first, unsafe first.pointee.key <= now {
                return unsafe begin(&heads, TimerQueue.timer(of: first))
            }
            if let first = unsafe heads.realtime.first,
                unsafe TimerQueue.monotonicTime(first.pointee.key, .realtime) <= now
            {
                return unsafe begin(&heads, TimerQueue.timer(of: first))
            }
            return nil
        }
    }

    private borrowing func begin(_ heads: inout Heads, _ timer: TimerCore.Pointer) -> TimerCore.Pointer {
        unsafe take(&heads, timer)
        unsafe heads.running = timer
        return unsafe timer
    }

    @_semantics("no_performance_analysis") @inline(__always)
    private static func call(
        _ timer: TimerCore.Pointer, _ context: borrowing HardInterruptContext
    ) -> HighResolutionTimer.Next {
        unsafe timer.pointee.function(context, timer.pointee.word)
    }

    /// The scheduler's slice end on this CPU has changed. Interrupts are off.
    @_noAllocation
    static func sliceEndChanged(_ time: UInt64) {
        unsafe TimeState.current.pointee.queues.withRemote(CPU.index) { queue in
            unsafe queue.heads.withLockInterruptsOff { heads, _ in
                unsafe heads.sliceEnd = time
                unsafe queue.setEvent(&heads, notAfter: time)
            }
        }
    }

    /// The wall clock was set: events of realtime timers are due at other times.
    static func clockWasSet() {
        withInterruptsOff { _ in
            unsafe TimeState.current.pointee.queues.withRemote(CPU.index) { queue in
                unsafe queue.heads.withLockInterruptsOff { heads, _ in
                    unsafe heads.event = .max
                    unsafe queue.setEvent(&heads, notAfter: queue.next(heads))
                }
            }
        }
        unsafe TimeHooks.refreshOthers?()
    }
}
