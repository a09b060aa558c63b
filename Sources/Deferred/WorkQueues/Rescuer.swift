// The thread that runs a queue's works when no worker can be made for lack of memory.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

@safe final class Rescuer: @unchecked Sendable {
    /// The parts of the queue that wait for rescue, linked through `nextRescued`. Taken inside a pool's lock.
    private let calls = unsafe SpinLock(Calls())
    private let isEnding = Atomic<Bool>(false)
    private let hasCalls = Atomic<Bool>(false)
    private let ended = Completion()
    /// Set by `start`, before the queue is used.
    private var thread: Thread?

    @unsafe private struct Calls: ~Copyable {
        var first: PoolWorkQueue.Pointer? = nil
        init() {}
    }

    init() {}

    /// Makes the thread. Throws `.noMemory`.
    func start(_ name: StaticString) throws(Errno) {
        let thread = try Thread.create(name: ThreadName(stringLiteral: name)) { task in self.serve(task) }
        thread.setNice(-20)
        thread.bind(to: .all)
        self.thread = thread
        thread.start()
    }

    func stop(_ task: borrowing TaskContext) {
        isEnding.store(true, ordering: .sequentiallyConsistent)
        thread?.wake()
        ended.wait(task)
    }

    /// Calls the rescuers of the queues whose works wait at a pool (Linux's mayday). Any context but NMI.
    static func call(for pool: WorkerPool.Pointer) {
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            var work = unsafe state.works.first
            while let here = unsafe work {
                if let link = unsafe here.pointee.link {
                    unsafe link.pointee.queue.pointee.rescuer?.call(for: link)
                }
                unsafe work = state.works.next(here)
            }
        }
    }

    private func call(for link: PoolWorkQueue.Pointer) {
        unsafe calls.withLockInterruptsOff { calls, _ in
            if unsafe link.pointee.needsRescue { return }
            unsafe link.pointee.needsRescue = true
            unsafe link.pointee.nextRescued = calls.first
            unsafe calls.first = link
        }
        hasCalls.store(true, ordering: .sequentiallyConsistent)
        thread?.wake()
    }

    private func takeCall() -> PoolWorkQueue.Pointer? {
        unsafe calls.withLockInterruptsOff { calls, _ in
            let link = unsafe calls.first
            unsafe calls.first = link?.pointee.nextRescued
            unsafe link?.pointee.needsRescue = false
            return unsafe link
        }
    }

    /// The thread's life.
    private func serve(_ task: borrowing TaskContext) {
        let worker = unsafe Worker.make(DeferredState.current.pointee.pools.unbound(false), isRescuer: true)
        unsafe worker.pointee.thread = Thread.current
        Thread.setCurrentWorker(UInt(bitPattern: worker))
        while !isEnding.load(ordering: .sequentiallyConsistent) { unsafe turn(worker, task) }
        Thread.setCurrentWorker(0)
        unsafe Worker.free(worker)
        ended.complete()
    }

    @inline(never)
    private func turn(_ worker: Worker.Pointer, _ task: borrowing TaskContext) {
        Thread.parkIdle(task) {
            hasCalls.load(ordering: .sequentiallyConsistent)
                || isEnding.load(ordering: .sequentiallyConsistent)
        }
        hasCalls.store(false, ordering: .sequentiallyConsistent)
        while let link = unsafe takeCall() { unsafe rescue(link, worker, task) }
    }

    /// Runs what waits at one pool for this queue.
    private func rescue(
        _ link: PoolWorkQueue.Pointer, _ worker: Worker.Pointer, _ task: borrowing TaskContext
    ) {
        let pool = unsafe link.pointee.pool
        unsafe worker.pointee.pool = pool
        let cpus = unsafe pool.pointee.isBound ? CPUMask(pool.pointee.cpu) : CPUMask.all
        do throws(Errno) {
            try Thread.current.setAffinity(cpus, task)
        } catch {
            // The pool's CPU is offline: its works run anywhere.
        }
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            unsafe WorkerPool.add(worker, &state)
            unsafe WorkerPool.giveAll(of: link, to: worker, &state)
        }
        while unsafe step(worker, pool, task) {}
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            unsafe WorkerPool.remove(worker, &state)
        }
    }

    @inline(never)
    private func step(_ worker: Worker.Pointer, _ pool: WorkerPool.Pointer, _ task: borrowing TaskContext)
        -> Bool
    {
        let step = unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            unsafe WorkerPool.nextRescue(worker, &state)
        }
        guard case .run(let function, let word) = unsafe step else { return false }
        unsafe WorkerPool.call(worker, function, word, task)
        return true
    }
}

extension WorkerPool {
    /// Gives all works of a queue that wait at the pool to its rescuer; or to whoever runs them already. Lock held.
    static func giveAll(of link: PoolWorkQueue.Pointer, to rescuer: Worker.Pointer, _ state: inout State) {
        var next = unsafe state.works.first
        while let work = unsafe next {
            unsafe next = after(work, state.works)
            guard unsafe work.pointee.link == link else { continue }
            let worker = unsafe worker(running: work, in: link.pointee.pool) ?? rescuer
            unsafe move(work, from: state.works, to: worker.pointee.scheduled)
        }
    }

    /// The work behind `work` and its barriers.
    private static func after(_ work: WorkCore.Pointer, _ list: WorkList) -> WorkCore.Pointer? {
        var last = unsafe work
        while unsafe last.pointee.hasFollower, let next = unsafe list.next(last) { unsafe last = next }
        return unsafe list.next(last)
    }
}
