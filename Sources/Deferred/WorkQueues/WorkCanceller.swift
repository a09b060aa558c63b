// Taking works out of their queues.

import Machine
import Primitives
import Synchronization
import Tasks

enum WorkCanceller {
    private enum Grab {
        /// It waited nowhere. The caller has claimed it.
        case idle
        /// It waited and was taken out. The caller has its claim.
        case wasPending
        /// Somebody is just queueing it, or cancels it.
        case busy
    }

    static func cancel(_ work: WorkCore.Pointer) -> Bool {
        while true {
            switch unsafe grab(work) {
            case .idle:
                unsafe release(work)
                return false
            case .wasPending:
                unsafe release(work)
                return true
            case .busy:
                if unsafe isBeingCancelled(work) { return false }
                Spin.pause()
            }
        }
    }

    static func cancelSync(_ work: WorkCore.Pointer, _ task: borrowing TaskContext) -> Bool {
        let waiters = unsafe DeferredState.current
        while true {
            let result = unsafe grab(work)
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
            _ = unsafe work.pointee.state.bitwiseOr(WorkCore.cancelling, ordering: .relaxed)
            _ = unsafe WorkFlusher.flush(work, task)
            unsafe release(work)
            unsafe waiters.pointee.workCancellers.wakeAll()
            return result == .wasPending
        }
    }

    private static func isBeingCancelled(_ work: WorkCore.Pointer) -> Bool {
        unsafe work.pointee.state.load(ordering: .acquiring) & WorkCore.cancelling != 0
    }

    private static func release(_ work: WorkCore.Pointer) {
        _ = unsafe work.pointee.state.bitwiseAnd(
            ~(WorkCore.pending | WorkCore.cancelling), ordering: .sequentiallyConsistent)
    }

    private static func grab(_ work: WorkCore.Pointer) -> Grab {
        if unsafe work.pointee.claim() { return .idle }
        let number = unsafe work.pointee.pool.load(ordering: .acquiring)
        if number < 0 { return .busy }
        let pool = unsafe DeferredState.current.pointee.pools.pool(Int(number))
        return unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            guard unsafe work.pointee.pool.load(ordering: .relaxed) == number,
                let link = unsafe work.pointee.link
            else { return .busy }
            // With it go its barriers, which the pool is to run.
            if unsafe work.pointee.isInactive { unsafe PoolWorkQueue.activate(link, work, &state) }
            unsafe WorkList.remove(work)
            unsafe work.pointee.hasFollower = false
            unsafe work.pointee.link = nil
            unsafe PoolWorkQueue.countOut(link, color: work.pointee.color, wasActive: true, &state)
            unsafe WorkerPool.wakeIfNeeded(&state)
            return .wasPending
        }
    }
}
