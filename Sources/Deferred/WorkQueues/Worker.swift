// A thread that runs works.

import Machine
import Primitives
import Synchronization
import Tasks

/// Guarded by the lock of its pool, but for what says otherwise.
@unsafe struct Worker: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<Worker>

    /// Own; a rescuer changes it.
    var pool: WorkerPool.Pointer
    /// Set before the worker is known to others.
    var thread = Thread.current
    let isRescuer: Bool
    /// Somebody wants it to look for work.
    let isCalled = Atomic<Bool>(false)

    /// The works it is about to run.
    let scheduled = unsafe WorkList()
    /// The work whose function it runs: perhaps no longer a work, so only its address counts, with function and word.
    var work: WorkCore.Pointer? = nil
    var word: UInt = 0
    var name: StaticString = ""
    var link: PoolWorkQueue.Pointer? = nil
    var color = 0

    /// Counted among those of the pool that have the CPU: one is enough. Not while it looks for work, sleeps, runs what is
    /// CPU-intensive, or belongs to an unbound pool.
    var isCounted = false
    /// Sleeps in its function, and is not counted for the while. Own.
    var sleeps = false
    var isIdle = false
    /// In cycles.
    var idleSince: UInt64 = 0
    /// Is to end.
    var isRetired = false
    /// The next idle one; the next that runs a work with the same hash.
    var nextIdle: Pointer? = nil
    var nextBusy: Pointer? = nil

    init(_ pool: WorkerPool.Pointer, isRescuer: Bool) {
        unsafe self.pool = unsafe pool
        unsafe self.isRescuer = isRescuer
    }

    /// A worker that no thread and no pool knows yet. Allocates.
    static func make(_ pool: WorkerPool.Pointer, isRescuer: Bool) -> Pointer {
        let worker = Pointer.allocate(capacity: 1)
        // Fresh memory.
        unsafe worker.initialize(to: Worker(pool, isRescuer: isRescuer))
        return unsafe worker
    }

    /// The end of one that nobody knows any more.
    static func free(_ worker: Pointer) {
        unsafe worker.pointee.scheduled.free()
        unsafe worker.deinitialize(count: 1)
        unsafe worker.deallocate()
    }

    /// The running thread as a worker; nil if it is none, or this is an interrupt.
    @inline(__always)
    static var current: Pointer? {
        if PreemptCount.inInterrupt { return nil }
        return unsafe Pointer(bitPattern: Thread.currentWorker)
    }
}
