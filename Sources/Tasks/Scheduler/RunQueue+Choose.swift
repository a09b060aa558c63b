// Who runs next on a CPU.

import Machine
import Primitives
import Synchronization

extension RunQueue {
    /// Charges `previous`, blocks it if it wants to sleep, and takes the real-time thread with the highest priority or, if
    /// there is none, the thread with the smallest virtual run time (`previous` itself, if it may go on). The time-stamp counter
    /// stands at `cycles`. Queue lock held, interrupts off.
    @inline(__always)
    borrowing func choose(
        _ threads: inout Threads, _ cpu: Int, _ previous: ThreadStorage.Pointer, preempted: Bool,
        _ cycles: UInt64
    ) -> ThreadStorage.Pointer {
        let now = CycleClock.time(at: cycles)
        unsafe threads.charge(now)
        let stays = unsafe keep(&threads, cpu, previous, preempted: preempted)
        let isPlain = unsafe threads.realTime.isEmpty && !previous.pointee.isRealTime
        let next =
            unsafe isPlain
            ? threads.takeByTime(previous, stays: stays)
            : threads.takeAmongClasses(previous, stays: stays, now)
        if unsafe !isPlain || runningPriority.load(ordering: .relaxed) != 0 {
            unsafe publishRealTime(threads.waitingRealTime, running: next.pointee.priority)
        }
        unsafe publishLoad(threads)
        unsafe begin(&threads, cpu, next, after: previous, stays: stays, cycles, now)
        return unsafe next
    }

    /// Lets other CPUs know how much there is to do here. Queue lock held.
    @inline(__always)
    borrowing func publishLoad(_ threads: borrowing Threads) {
        let isRealTime = unsafe runningPriority.load(ordering: .relaxed) != 0
        unsafe load.store(
            UInt32(truncatingIfNeeded: threads.count &+ (isRealTime ? 1 : 0)), ordering: .relaxed)
    }

    /// Whether `previous` stays runnable on this CPU; if not, it is off the books afterwards.
    @inline(__always)
    private borrowing func keep(
        _ threads: inout Threads, _ cpu: Int, _ previous: ThreadStorage.Pointer, preempted: Bool
    ) -> Bool {
        if unsafe previous.pointee.isIdle { return false }
        if !preempted, unsafe block(previous) {
            unsafe threads.drop(previous)
            unsafe previous.pointee.voluntarySwitches.wrappingAdd(1, ordering: .relaxed)
            return false
        }
        if unsafe !mayRun(previous, cpu) {
            unsafe threads.drop(previous)
            unsafe previous.pointee.mustMove = true
            return false
        }
        return true
    }

    /// Whether a thread may be in this CPU's queue.
    @inline(__always)
    borrowing func mayRun(_ storage: ThreadStorage.Pointer, _ cpu: Int) -> Bool {
        guard unsafe storage.pointee.affinity.contains(cpu) else { return false }
        if unsafe !isLeaving.load(ordering: .sequentiallyConsistent) { return true }
        return unsafe storage.pointee.isBoundKernelThread
    }

    /// Commits the sleep (or the end) that the thread's state asks for; false if there is none, or a waker
    /// was faster.
    @inline(__always)
    private borrowing func block(_ previous: ThreadStorage.Pointer) -> Bool {
        let state = unsafe previous.pointee.state.load(ordering: .relaxed)
        if state == ThreadState.running.rawValue { return false }
        if state == ThreadState.dead.rawValue { return true }
        let isCounted = state & ThreadState.uninterruptible.rawValue != 0
        // Counted before anybody can wake it: the waker takes it off the count.
        if isCounted { unsafe uninterruptible.wrappingAdd(1, ordering: .relaxed) }
        let committed = unsafe previous.pointee.state.compareExchange(
            expected: state, desired: state | ThreadState.blocked.rawValue, ordering: .sequentiallyConsistent
        ).exchanged
        if !committed, isCounted { unsafe uninterruptible.wrappingSubtract(1, ordering: .relaxed) }
        return committed
    }

    /// A thread gets the CPU, at `cycles`.
    @inline(__always)
    private borrowing func note(_ next: ThreadStorage.Pointer, _ cycles: UInt64) {
        if unsafe next.pointee.isIdle { return unsafe statistics.idled.count() }
        // The counter of the CPU that put it here may be a little ahead.
        let waited = unsafe UInt64(max(Int64(bitPattern: cycles &- next.pointee.waitsSince), 0))
        unsafe next.pointee.delay.count(waited)
        unsafe next.pointee.turns.count()
        unsafe statistics.delay.count(waited)
        unsafe statistics.turns.count()
        if unsafe next.pointee.wasWoken {
            Latency.wakeUpDelay.note(waited)
            unsafe next.pointee.wasWoken = false
        }
    }

    /// Makes `next` the running thread.
    @inline(__always)
    private borrowing func begin(
        _ threads: inout Threads, _ cpu: Int, _ next: ThreadStorage.Pointer,
        after previous: ThreadStorage.Pointer, stays: Bool, _ cycles: UInt64, _ now: UInt64
    ) {
        if unsafe next != previous {
            if stays { unsafe previous.pointee.waitsSince = cycles }
            unsafe note(next, cycles)
            unsafe next.pointee.onCPU.store(true, ordering: .relaxed)
            unsafe threads.current = next
        }
        if unsafe next.pointee.isIdle {
            unsafe threads.sliceEnd = .max
            if unsafe next != previous { unsafe setIdle(cpu) }
            return
        }
        if unsafe !next.pointee.isRealTime { unsafe threads.advanceMinimum(with: next.pointee.node.key) }
        if unsafe previous.pointee.isIdle { unsafe setBusy(cpu) }
        if unsafe next != previous || threads.sliceEnd <= now || threads.sliceEnd == .max {
            unsafe startSlice(&threads, now)
        }
    }

    /// Gives the running thread its share of the latency period; alone, it may run for ever.
    @inline(__always)
    borrowing func startSlice(_ threads: inout Threads, _ now: UInt64) {
        guard unsafe threads.count > 1 || threads.quota.isExhausted, let current = unsafe threads.current
        else {
            unsafe threads.sliceEnd = .max
            return
        }
        if unsafe current.pointee.isRealTime || !threads.realTime.isEmpty || threads.quota.isExhausted {
            unsafe threads.sliceEnd = threads.sliceAmongClasses(current, now)
            if unsafe threads.sliceEnd != .max { unsafe threads.announceEnd() }
            return
        }
        // A slice that was begun for another thread will do: virtual run times decide at its end.
        if unsafe threads.announcedEnd &- now <= SchedulerLimits.latency {
            unsafe threads.sliceEnd = threads.announcedEnd
            return
        }
        unsafe threads.sliceEnd = now &+ threads.share(of: current)
        unsafe threads.announceEnd()
    }
}

extension RunQueue.Threads {
    /// Takes the thread with the smallest virtual run time out of the tree, or `previous` if it `stays` runnable and has a
    /// smaller one.
    @inline(__always)
    mutating func takeByTime(_ previous: ThreadStorage.Pointer, stays: Bool) -> ThreadStorage.Pointer {
        if let first = unsafe tree.first, unsafe !stays || first.pointee.key <= previous.pointee.node.key {
            unsafe tree.remove(first)
            if stays { unsafe enqueue(previous) }
            return unsafe ThreadStorage.owner(of: first)
        }
        // Every CPU that schedules has its idle thread.
        return unsafe stays ? previous : idle.unsafelyUnwrapped
    }

    /// Has this CPU's timer set to the end of the slice.
    @inline(__always)
    mutating func announceEnd() {
        unsafe announcedEnd = sliceEnd
        unsafe Scheduler.announceSliceEnd(sliceEnd)
    }

    /// The running thread's share of the latency period.
    @inline(__always)
    func share(of current: ThreadStorage.Pointer) -> UInt64 {
        let share = unsafe SchedulerLimits.latency &* UInt64(current.pointee.weight.value)
        // At least two threads are on the books, so the sum of weights is not zero.
        return unsafe max(share / max(totalWeight, 1), SchedulerLimits.shortestSlice)
    }
}

extension RunQueue {

    /// The CPU has nothing to run: wakers may choose it.
    private borrowing func setIdle(_ cpu: Int) {
        unsafe activity.store(Activity.idleAwake.rawValue, ordering: .sequentiallyConsistent)
        _ = unsafe TaskState.current.pointee.idleCPUs.insert(cpu)
        Scheduler.announceIdle(true)
    }

    /// The CPU leaves its idle thread. A waker may have counted on the idle loop's look at `wantsLook`.
    private borrowing func setBusy(_ cpu: Int) {
        unsafe activity.store(Activity.busy.rawValue, ordering: .sequentiallyConsistent)
        _ = unsafe TaskState.current.pointee.idleCPUs.remove(cpu)
        Scheduler.announceIdle(false)
        if unsafe wantsLook.load(ordering: .sequentiallyConsistent) { PreemptCount.setNeedResched() }
    }
}
