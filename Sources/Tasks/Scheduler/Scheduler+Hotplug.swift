// CPUs that leave the scheduler and come back.
//
// A CPU that leaves takes no new threads; those in its queue are put elsewhere, the running one as soon as it has been
// interrupted. Kernel threads that are bound to this one CPU stay: they sleep until it is back.

import Machine
import Primitives
import Synchronization

extension Scheduler {
    /// Moves everybody away from `cpu`, which is another one, and lets nobody come any more. Task context.
    public static func deactivate(_ cpu: Int, _ task: borrowing TaskContext) {
        let state = unsafe TaskState.current
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.isLeaving.store(true, ordering: .sequentiallyConsistent)
        }
        unsafe state.pointee.onlineCPUs.remove(cpu)
        unsafe state.pointee.idleCPUs.remove(cpu)
        while unsafe moveOne(state, from: cpu) {}
        while unsafe runsForeigner(state, cpu) {
            withInterruptsOff { _ in unsafe requestLook(state, cpu) }
            yield(task)
            while unsafe moveOne(state, from: cpu) {}
        }
    }

    /// Undoes `deactivate` for a CPU that has not been parked.
    public static func reactivate(_ cpu: Int) {
        let state = unsafe TaskState.current
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.mustPark.store(false, ordering: .relaxed)
            unsafe queue.isLeaving.store(false, ordering: .sequentiallyConsistent)
        }
        _ = unsafe state.pointee.onlineCPUs.insert(cpu)
    }

    /// Asks the idle loop of a deactivated CPU to park it (`TaskHooks.park`).
    public static func requestPark(_ cpu: Int) {
        let state = unsafe TaskState.current
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.mustPark.store(true, ordering: .sequentiallyConsistent)
        }
        withInterruptsOff { _ in unsafe requestLook(state, cpu) }
    }

    /// Returns when every section with preemption off that ran on another online CPU at the call has ended: the calling
    /// thread has run on each. Task context; the thread's affinity is `rest` afterwards.
    public static func visitAll(_ cpus: CPUMask, then rest: CPUMask, _ task: borrowing TaskContext) {
        cpus.forEach { cpu in
            Thread.current.bind(to: CPUMask(cpu))
            while CPU.index != cpu { yield(task) }
        }
        Thread.current.bind(to: rest)
        while !rest.contains(CPU.index) { yield(task) }
    }

    /// Puts one thread that waits in the queue of a leaving CPU elsewhere; false if there is none that may go.
    private static func moveOne(_ state: TaskState.Pointer, from cpu: Int) -> Bool {
        let storage = unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in unsafe queue.takeForeigner(&threads) }
        }
        guard let storage = unsafe storage else { return false }
        withInterruptsOff { off in unsafe activate(storage, off) }
        return true
    }

    /// Whether a thread that must go is still on the CPU or in its queue.
    private static func runsForeigner(_ state: TaskState.Pointer, _ cpu: Int) -> Bool {
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in
                if let current = unsafe threads.current, unsafe !current.pointee.isIdle,
                    unsafe !current.pointee.isBoundKernelThread
                {
                    return true
                }
                return unsafe queue.findForeigner(threads) != nil
            }
        }
    }
}

extension RunQueue {
    /// A waiting thread that need not stay on this CPU.
    borrowing func findForeigner(_ threads: borrowing Threads) -> ThreadStorage.Pointer? {
        var next = unsafe threads.realTime.first
        while let storage = unsafe next {
            if unsafe !storage.pointee.isBoundKernelThread { return unsafe storage }
            unsafe next = threads.realTime.next(after: storage)
        }
        var node = unsafe threads.tree.first
        while let here = unsafe node {
            let storage = unsafe ThreadStorage.owner(of: here)
            if unsafe !storage.pointee.isBoundKernelThread { return unsafe storage }
            unsafe node = OrderedQueue.next(after: here)
        }
        return nil
    }

    borrowing func takeForeigner(_ threads: inout Threads) -> ThreadStorage.Pointer? {
        guard let storage = unsafe findForeigner(threads),
            unsafe !storage.pointee.onCPU.load(ordering: .acquiring)
        else { return nil }
        unsafe takeOut(&threads, storage)
        return unsafe storage
    }
}

extension ThreadStorage {
    /// A kernel thread that belongs to one CPU, like `ksoftirqd/1`.
    @inline(__always)
    var isBoundKernelThread: Bool { unsafe !isUser && !isIdle && affinity.load().count == 1 }
}
