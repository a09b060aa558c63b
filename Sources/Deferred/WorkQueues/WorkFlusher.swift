// Waiting for one work: a barrier, which is a work that runs right behind it.

import Machine
import Primitives
import Synchronization
import Tasks

/// On the waiter's stack. Whoever runs it copies the thread first: with `isDone` set the barrier may be gone.
@unsafe private struct Barrier: ~Copyable {
    /// First, so that the barrier's address is its work's.
    var core: WorkCore
    let thread = Thread.current
    let isDone = Atomic<Bool>(false)

    init(word: UInt) {
        unsafe core = unsafe WorkCore("barrier", word) { @Sendable _, word in
            // The barrier's own address; it is there until `isDone` is set.
            let barrier = unsafe UnsafeMutablePointer<Barrier>(bitPattern: word).unsafelyUnwrapped
            let thread = unsafe barrier.pointee.thread
            unsafe barrier.pointee.isDone.store(true, ordering: .sequentiallyConsistent)
            thread.wake()
        }
        _ = unsafe core.claim()
    }
}

enum WorkFlusher {
    static func flush(_ work: WorkCore.Pointer, _ task: borrowing TaskContext) -> Bool {
        if let worker = unsafe Worker.current, unsafe worker.pointee.work == work {
            let name = unsafe work.pointee.name
            printk(.error, "workqueue: \(name) waits for itself")
            return false
        }
        let barrier = UnsafeMutablePointer<Barrier>.allocate(capacity: 1)
        // Fresh memory, freed when nobody has it in a list any more.
        unsafe barrier.initialize(to: Barrier(word: UInt(bitPattern: barrier)))
        defer {
            unsafe barrier.deinitialize(count: 1)
            unsafe barrier.deallocate()
        }
        let core = unsafe UnsafeMutableRawPointer(barrier).assumingMemoryBound(to: WorkCore.self)
        guard unsafe place(core, behind: work) else { return false }
        do throws(Errno) {
            try Thread.park(task, interruptible: false) {
                unsafe barrier.pointee.isDone.load(ordering: .sequentiallyConsistent)
            }
        } catch {
            // Only signals end a sleep early, and they do not end this one.
        }
        return true
    }

    /// Puts the barrier behind the work where it waits or runs; false if it does neither.
    private static func place(_ barrier: WorkCore.Pointer, behind work: WorkCore.Pointer) -> Bool {
        while true {
            let number = unsafe work.pointee.pool.load(ordering: .acquiring)
            if number < 0 { return false }
            let pool = unsafe DeferredState.current.pointee.pools.pool(Int(number))
            let isPlaced: Bool? = unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
                // Another CPU may have queued it elsewhere before the lock was taken.
                guard unsafe work.pointee.pool.load(ordering: .relaxed) == number else { return nil }
                if let link = unsafe work.pointee.link {
                    // Just being put into another pool's list: that one's lock is the one to have.
                    guard unsafe link.pointee.pool == pool else { return nil }
                    unsafe barrier.pointee.hasFollower = work.pointee.hasFollower
                    unsafe work.pointee.hasFollower = true
                    unsafe WorkList.insert(barrier, behind: work)
                    return true
                }
                guard let worker = unsafe WorkerPool.worker(running: work, in: pool) else { return false }
                unsafe worker.pointee.scheduled.prepend(barrier)
                return true
            }
            if let isPlaced { return isPlaced }
        }
    }
}
