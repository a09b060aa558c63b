// Workers that share a list of works. Each CPU has two pools, for ordinary and for high priority; two more are bound to
// no CPU.
//
// While its CPU is off, a bound pool is like an unbound one: its workers run anywhere, and are not counted
// (WorkerPool+Hotplug.swift).
//
// A bound pool keeps one worker running, as long as there is work: a worker that is about to sleep in its function says so
// (`workerSleeps`, called by the scheduler), and if it was the last one, an idle worker is woken. So one blocked work
// holds up nobody, and works that do not block run one after the other without switches. At least one
// worker is idle or being made before work is begun; the one that finds none makes it. Where none can be made,
// the queues' rescuers are called.

import Machine
import Primitives
import Synchronization
import Tasks

@unsafe struct WorkerPool: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<WorkerPool>

    let number: Int
    /// -1: bound to none.
    let cpu: Int
    let nice: Int
    /// Taken with interrupts off, before a rescuer's lock and those of run queues.
    let state = unsafe SpinLock(State())

    var isBound: Bool { unsafe cpu >= 0 }

    @unsafe struct State: ~Copyable {
        /// Works that wait for a worker, oldest first.
        let works = unsafe WorkList()
        /// Workers that have nothing to do, the last one first.
        var idle: Worker.Pointer? = nil
        var idleCount = 0
        var workerCount = 0
        /// Workers counted as having the CPU.
        var running = 0
        /// Its CPU is off.
        var isDetached = false
        /// Some worker makes another one.
        var isManaged = false
        /// All workers, and rescuers at work here.
        var workers: Worker.Pointer? = nil
        /// When a work was begun last, or the list stopped being empty, in cycles.
        var progressAt: UInt64 = 0
        /// The stall that has been reported already.
        var reportedAt: UInt64 = 0
        var nextWorkerNumber = 0

        init() {}
    }

    init(number: Int, cpu: Int, nice: Int) {
        unsafe self.number = number
        unsafe self.cpu = cpu
        unsafe self.nice = nice
    }

    // MARK: Lists. Lock held.

    /// Moves a work with the barriers that follow it.
    static func move(_ work: WorkCore.Pointer, from list: WorkList, to other: WorkList) {
        var next: WorkCore.Pointer? = unsafe work
        while let here = unsafe next {
            unsafe next = unsafe here.pointee.hasFollower ? list.next(here) : nil
            unsafe WorkList.remove(here)
            unsafe other.append(here)
        }
    }

    /// The worker that runs `work` in this pool, whose lock is held.
    @inline(__always)
    static func worker(running work: WorkCore.Pointer, in pool: Pointer) -> Worker.Pointer? {
        // If it is another pool's, what it does is nothing that this lock guards.
        guard let worker = unsafe work.pointee.worker, unsafe worker.pointee.pool == pool,
            unsafe worker.pointee.work == work
        else { return nil }
        return unsafe worker
    }

    static func add(_ worker: Worker.Pointer, _ state: inout State) {
        unsafe worker.pointee.next = state.workers
        unsafe state.workers = worker
    }

    static func remove(_ worker: Worker.Pointer, _ state: inout State) {
        if unsafe state.workers == worker {
            unsafe state.workers = worker.pointee.next
            return
        }
        var previous = unsafe state.workers
        while let here = unsafe previous {
            if unsafe here.pointee.next == worker {
                unsafe here.pointee.next = worker.pointee.next
                return
            }
            unsafe previous = here.pointee.next
        }
    }

    /// Calls `body` with the name of each work that runs here, newest worker first.
    static func forEachRunning(_ state: inout State, _ body: (StaticString) -> Void) {
        var worker = unsafe state.workers
        while let here = unsafe worker {
            if unsafe here.pointee.work != nil { body(unsafe here.pointee.name) }
            unsafe worker = here.pointee.next
        }
    }

    // MARK: Waking. Lock held.

    /// Wakes an idle worker if there is work and nobody who does it.
    @inline(__always)
    static func wakeIfNeeded(_ state: inout State) {
        if unsafe state.running == 0, unsafe !state.works.isEmpty { unsafe wakeIdle(&state) }
    }

    @inline(__always)
    static func wakeIdle(_ state: inout State) {
        // One that was called already looks at all there is, and calls the next if that is needed.
        guard let worker = unsafe state.idle, unsafe !worker.pointee.isCalled.load(ordering: .relaxed) else {
            return
        }
        unsafe worker.pointee.isCalled.store(true, ordering: .sequentiallyConsistent)
        unsafe worker.pointee.thread.wake()
    }

    // MARK: Told by the scheduler

    /// The running thread, a worker, is about to sleep. Interrupts are as they were in its function.
    static func workerSleeps(_ worker: Worker.Pointer) {
        guard unsafe worker.pointee.isCounted, unsafe !worker.pointee.sleeps else { return }
        unsafe worker.pointee.sleeps = true
        unsafe worker.pointee.pool.pointee.state.withLockInterruptsOff { state, _ in
            if unsafe worker.pointee.isCounted { unsafe state.running &-= 1 }
            unsafe wakeIfNeeded(&state)
        }
    }

    /// It has the CPU again.
    static func workerRuns(_ worker: Worker.Pointer) {
        guard unsafe worker.pointee.sleeps else { return }
        unsafe worker.pointee.sleeps = false
        unsafe worker.pointee.pool.pointee.state.withLockInterruptsOff { state, _ in
            // Its CPU may have gone meanwhile, and nobody is counted any more.
            if unsafe worker.pointee.isCounted { unsafe state.running &+= 1 }
        }
    }
}
