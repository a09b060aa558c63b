// Taking works out of their queues.

import Machine
import Primitives
import Synchronization
import Tasks

enum WorkCanceller {
    enum Grab {
        /// It waited nowhere. The caller has claimed it.
        case idle
        /// It waited and was taken out. The caller has its claim.
        case wasPending
        /// Somebody is just queueing it, or cancels it.
        case busy
    }

    /// - Parameter timer: stops the timer that would queue the work; true if it was running, and the claim is the caller's.
    static func cancel(_ work: WorkCore.Pointer, timer: () -> Bool = { false }) -> Bool {
        while true {
            let result = unsafe attempt(work, timer: timer, for: 0)
            if result != .busy { return result == .wasPending }
            if unsafe isBeingCancelled(work) { return false }
            Spin.pause()
        }
    }

    static func cancelSync(
        _ work: WorkCore.Pointer, _ task: borrowing TaskContext, timer: () -> Bool = { false }
    ) -> Bool {
        let waiters = unsafe DeferredState.current
        while true {
            let result = unsafe attempt(work, timer: timer, for: WorkCore.pending | WorkCore.cancelling)
            if result == .busy {
                if unsafe isBeingCancelled(work) {
                    unsafe waiters.pointee.workCancellers.waitUninterruptibly(task) {
                        unsafe !isBeingCancelled(work)
                    }
                } else {
                    Spin.pause()
                }
                continue
            }
            _ = unsafe WorkFlusher.flush(work, task)
            unsafe release(work)
            unsafe waiters.pointee.workCancellers.wakeAll()
            return result == .wasPending
        }
    }

    /// Takes the claim and makes `state` of it at once, with interrupts off: whoever waits for a claim does so with interrupts
    /// off, and would wait for ever for one that it preempted.
    private static func attempt(_ work: WorkCore.Pointer, timer: () -> Bool, for state: UInt32) -> Grab {
        withInterruptsOff { _ in
            let result = unsafe timer() ? Grab.wasPending : grab(work)
            if result == .busy { return result }
            if state == 0 {
                unsafe release(work)
            } else {
                _ = unsafe work.pointee.state.bitwiseOr(state, ordering: .relaxed)
            }
            return result
        }
    }

    static func isBeingCancelled(_ work: WorkCore.Pointer) -> Bool {
        unsafe work.pointee.state.load(ordering: .acquiring) & WorkCore.cancelling != 0
    }

    static func release(_ work: WorkCore.Pointer) {
        _ = unsafe work.pointee.state.bitwiseAnd(
            ~(WorkCore.pending | WorkCore.cancelling), ordering: .sequentiallyConsistent)
    }

    static func grab(_ work: WorkCore.Pointer) -> Grab {
        if unsafe work.pointee.claim() { return .idle }
        let number = unsafe work.pointee.pool.load(ordering: .acquiring)
        if number < 0 { return .busy }
        let pool = unsafe DeferredState.current.pointee.pools.pool(Int(number))
        return unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            // A link to another pool is that of somebody who is just putting the work there, under that pool's lock.
            guard let link = unsafe work.pointee.link, unsafe link.pointee.pool == pool else { return .busy }
            // With it go its barriers, which the pool is to run.
            if unsafe work.pointee.isInactive { unsafe PoolWorkQueue.activate(link, work, &state) }
            unsafe WorkList.remove(work)
            unsafe work.pointee.hasFollower = false
            unsafe work.pointee.link = nil
            unsafe PoolWorkQueue.countOut(link, color: work.pointee.color, &state)
            unsafe WorkerPool.wakeIfNeeded(&state)
            return .wasPending
        }
    }
}
