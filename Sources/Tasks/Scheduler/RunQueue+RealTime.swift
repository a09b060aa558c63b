// What is different in a run queue where some threads are not of class `normal`.
//
// Real-time threads come before all others, by priority, and within a priority in the order they came. One that has to
// make room for a higher priority keeps its place in front; one that yields or has had its round-robin turn goes behind.

import Machine
import Primitives
import Synchronization

extension RunQueue.Threads {
    /// Charges a real-time thread for time it ran.
    @inline(never)
    mutating func chargeRealTime(_ current: ThreadStorage.Pointer, _ elapsed: UInt64) {
        if unsafe current.pointee.schedulingClass == .roundRobin {
            unsafe current.pointee.turnUsed &+= elapsed
        }
        unsafe quota.charge(elapsed)
    }

    /// Who runs next, where a real-time thread waits or has just run.
    @inline(never)
    mutating func takeAmongClasses(
        _ previous: ThreadStorage.Pointer, stays: Bool, _ now: UInt64
    ) -> ThreadStorage.Pointer {
        unsafe quota.renew(now)
        let staysRealTime = unsafe stays && previous.pointee.isRealTime
        if unsafe quota.isExhausted, unsafe tree.first != nil || (stays && !staysRealTime) {
            if staysRealTime { unsafe putBack(previous) }
            return unsafe takeByTime(previous, stays: stays && !staysRealTime)
        }
        if staysRealTime, unsafe goesOn(previous) { return unsafe previous }
        guard let first = unsafe realTime.first else { return unsafe takeByTime(previous, stays: stays) }
        unsafe realTime.remove(first)
        if stays { unsafe putBack(previous) }
        return unsafe first
    }

    private mutating func putBack(_ previous: ThreadStorage.Pointer) {
        let before = unsafe !previous.pointee.goesBehind
        unsafe previous.pointee.goesBehind = false
        unsafe enqueue(previous, before: before)
    }

    /// Whether the running real-time thread has more right to the CPU than those that wait.
    private mutating func goesOn(_ previous: ThreadStorage.Pointer) -> Bool {
        if unsafe previous.pointee.schedulingClass == .roundRobin,
            unsafe previous.pointee.turnUsed >= Scheduler.roundRobinTurn
        {
            unsafe previous.pointee.turnUsed = 0
            unsafe previous.pointee.goesBehind = true
        }
        let priority = unsafe previous.pointee.priority
        let rival = unsafe realTime.highest
        if unsafe rival > priority || (rival == priority && previous.pointee.goesBehind) { return false }
        unsafe previous.pointee.goesBehind = false
        return true
    }

    /// When the running thread must make room, where real-time threads run, wait or have used up their share.
    @inline(never)
    mutating func sliceAmongClasses(_ current: ThreadStorage.Pointer, _ now: UInt64) -> UInt64 {
        unsafe quota.renew(now)
        let othersWait = unsafe tree.first != nil
        if unsafe !current.pointee.isRealTime {
            let end = unsafe othersWait ? now &+ share(of: current) : UInt64.max
            return unsafe quota.isExhausted ? min(end, quota.periodEnd) : end
        }
        var left = UInt64.max
        if unsafe current.pointee.schedulingClass == .roundRobin,
            unsafe realTime.contains(priority: current.pointee.priority)
        {
            let turn = Scheduler.roundRobinTurn
            left = unsafe turn &- min(current.pointee.turnUsed, turn)
        }
        if othersWait { left = unsafe min(left, quota.untilLook(now)) }
        return left == .max ? .max : now &+ max(left, 1)
    }

    enum Claim {
        /// The running thread has to go.
        case preempts
        /// It goes on, but for another time than before.
        case shortens
        case waits
        /// Virtual run times decide.
        case comparesTime
    }

    /// What a thread that has just been put into the order means for the one that runs.
    @inline(never)
    mutating func claim(
        of woken: ThreadStorage.Pointer, against current: ThreadStorage.Pointer, _ now: UInt64
    ) -> Claim {
        unsafe quota.renew(now)
        if unsafe current.pointee.isRealTime {
            return unsafe woken.pointee.isRealTime
                ? realTimeClaim(of: woken, against: current)
                // Only the first that waits changes anything.
                : quota.isExhausted
                    ? .preempts : tree.isOnly(ThreadStorage.node(of: woken)) ? .shortens : .waits
        }
        if unsafe woken.pointee.isRealTime { return unsafe quota.isExhausted ? .shortens : .preempts }
        let newClass = unsafe woken.pointee.schedulingClass
        if unsafe current.pointee.schedulingClass == .idle, newClass != .idle { return .preempts }
        // Neither disturbs others, whatever is due to it.
        if newClass == .batch || newClass == .idle { return unsafe sliceEnd == .max ? .shortens : .waits }
        return .comparesTime
    }

    private func realTimeClaim(
        of woken: ThreadStorage.Pointer, against current: ThreadStorage.Pointer
    ) -> Claim {
        let priority = unsafe current.pointee.priority
        if unsafe woken.pointee.priority > priority { return .preempts }
        let takesTurns = unsafe current.pointee.schedulingClass == .roundRobin
        return unsafe takesTurns && woken.pointee.priority == priority ? .shortens : .waits
    }

    /// What other CPUs must know of the real-time threads that wait.
    @inline(__always)
    var waitingRealTime: RealTimeWaiting {
        unsafe RealTimeWaiting(
            highest: realTime.highest, throttledUntil: quota.isExhausted ? quota.periodEnd : 0)
    }

    /// Puts a thread whose policy has changed where it belongs now.
    mutating func rearrange(_ storage: ThreadStorage.Pointer) {
        guard unsafe storage.pointee.isQueued else { return }
        let waits = unsafe current != storage
        if waits { unsafe dequeue(storage) }
        unsafe drop(storage)
        unsafe enter(storage)
        if waits { unsafe enqueue(storage) }
    }
}

/// The highest priority of those that wait for a CPU, 0 if none does; and until when they have had their share of it, 0 if
/// they have not.
struct RealTimeWaiting {
    let highest: UInt8
    let throttledUntil: UInt64
}

extension RunQueue {
    /// Lets other CPUs know which real-time threads wait here, and which priority runs. Queue lock held.
    @inline(never)
    borrowing func publishRealTime(_ waits: RealTimeWaiting, running: UInt8) {
        let before = unsafe waitingPriority.exchange(waits.highest, ordering: .sequentiallyConsistent)
        if (before == 0) != (waits.highest == 0) {
            let change = waits.highest != 0 ? 1 : -1
            _ = unsafe TaskState.current.pointee.realTimeWaiting.wrappingAdd(
                change, ordering: .sequentiallyConsistent)
        }
        unsafe throttledUntil.store(waits.throttledUntil, ordering: .relaxed)
        // What is about to run counts, not what still does.
        let next = waits.throttledUntil != 0 ? running : max(running, waits.highest)
        unsafe runningPriority.store(next, ordering: .sequentiallyConsistent)
    }

    /// The same as the running thread is.
    @inline(__always)
    borrowing func publishRealTime(_ threads: borrowing Threads) {
        unsafe publishRealTime(threads.waitingRealTime, running: threads.current?.pointee.priority ?? 0)
    }

    /// Takes a waiting thread off this queue; the caller owns it afterwards. Queue lock held.
    borrowing func takeOut(_ threads: inout Threads, _ storage: ThreadStorage.Pointer) {
        unsafe threads.dequeue(storage)
        unsafe threads.drop(storage)
        if unsafe storage.pointee.isRealTime { unsafe publishRealTime(threads) }
        unsafe publishLoad(threads)
    }
}
