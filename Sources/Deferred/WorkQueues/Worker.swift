// A thread that runs works.

import Machine
import Primitives
import Synchronization
import Tasks

/// Guarded by the lock of its pool, but for what says otherwise. Its memory stays a worker's for ever, since works remember who
/// ran them.
@unsafe struct Worker: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<Worker>

    /// Own; a rescuer changes it.
    var pool: WorkerPool.Pointer
    /// Set before the worker is known to others.
    var thread = Thread.current
    var isRescuer: Bool
    /// Somebody wants it to look for work.
    let isCalled = Atomic<Bool>(false)

    /// The works it is about to run.
    let scheduled = unsafe WorkList()
    /// The work whose function it runs: perhaps no longer a work, so only its address counts.
    var work: WorkCore.Pointer? = nil
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
    /// The next idle one; the next of all workers of the pool, or of those that are no worker for the while.
    var nextIdle: Pointer? = nil
    var next: Pointer? = nil

    init(_ pool: WorkerPool.Pointer, isRescuer: Bool) {
        unsafe self.pool = unsafe pool
        unsafe self.isRescuer = isRescuer
    }

    /// A worker that no thread and no pool knows yet. May allocate.
    static func make(_ pool: WorkerPool.Pointer, isRescuer: Bool) -> Pointer {
        guard let worker = unsafe DeferredState.current.pointee.spareWorkers.take() else {
            let worker = Pointer.allocate(capacity: 1)
            // Fresh memory.
            unsafe worker.initialize(to: Worker(pool, isRescuer: isRescuer))
            return unsafe worker
        }
        unsafe worker.pointee.pool = pool
        unsafe worker.pointee.isRescuer = isRescuer
        unsafe worker.pointee.isRetired = false
        unsafe worker.pointee.isCalled.store(false, ordering: .relaxed)
        return unsafe worker
    }

    /// The end of one that no pool knows any more: it has no works, is not idle and not counted.
    static func free(_ worker: Pointer) { unsafe DeferredState.current.pointee.spareWorkers.add(worker) }

    /// The running thread as a worker; nil if it is none, or this is an interrupt.
    @inline(__always)
    static var current: Pointer? {
        if PreemptCount.inInterrupt { return nil }
        return unsafe Pointer(bitPattern: Thread.currentWorker)
    }
}

/// Former workers, for the next ones that are needed.
@safe struct SpareWorkers: ~Copyable {
    @unsafe struct List: ~Copyable {
        var first: Worker.Pointer? = nil
        init() {}
    }

    private let list = unsafe SpinLock(List())

    init() {}

    func take() -> Worker.Pointer? {
        unsafe list.withLockInterruptsOff { list, _ in
            let worker = unsafe list.first
            unsafe list.first = worker?.pointee.next
            unsafe worker?.pointee.next = nil
            return unsafe worker
        }
    }

    func add(_ worker: Worker.Pointer) {
        unsafe list.withLockInterruptsOff { list, _ in
            unsafe worker.pointee.next = list.first
            unsafe list.first = worker
        }
    }
}
