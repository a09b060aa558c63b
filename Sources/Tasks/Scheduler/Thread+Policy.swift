// What decides where a thread runs: its affinity.

import Machine
import Primitives
import Synchronization

extension Thread {
    /// The CPUs it may run on.
    public var affinity: CPUMask { unsafe storage.pointee.affinity.load() }

    /// Binds the thread to the given CPUs; it leaves one it may no longer run on. Throws `.invalid` if none of them
    /// is online.
    public func setAffinity(_ mask: CPUMask, _ task: borrowing TaskContext) throws(Errno) {
        let state = unsafe TaskState.current
        let possible = unsafe mask.intersection(state.pointee.onlineCPUs.load())
        if possible.isEmpty { throw .invalid }
        bind(to: mask)
        if isCurrent, !mask.contains(CPU.index) { Scheduler.schedule(task) }
    }

    /// Binds a thread to CPUs that perhaps do not run yet. Any context but NMI.
    public func bind(to mask: CPUMask) {
        unsafe storage.pointee.affinity.store(mask)
        let state = unsafe TaskState.current
        while true {
            switch leaveQueue(outside: mask) {
            case .inPlace: return
            case .detached: return withInterruptsOff { off in unsafe Scheduler.activate(storage, off) }
            case .running(let cpu): return withInterruptsOff { _ in unsafe Scheduler.requestLook(state, cpu) }
            case .leavingCPU: Spin.pause()
            }
        }
    }

    private enum Placement {
        case inPlace, detached, leavingCPU
        case running(Int)
    }

    /// Takes a thread that waits in the queue of a CPU outside `mask` off that queue.
    private func leaveQueue(outside mask: CPUMask) -> Placement {
        var placement = Placement.inPlace
        unsafe withQueue { queue, threads in
            guard unsafe storage.pointee.isQueued, !mask.contains(cpu) else { return }
            if unsafe threads.current == storage {
                placement = .running(cpu)
            } else if unsafe storage.pointee.onCPU.load(ordering: .acquiring) {
                placement = .leavingCPU
            } else {
                unsafe queue.takeOut(&threads, storage)
                placement = .detached
            }
        }
        return placement
    }

    /// Runs `body` under the lock of the queue the thread belongs to.
    func withQueue(_ body: (borrowing RunQueue, inout RunQueue.Threads) -> Void) {
        let state = unsafe TaskState.current
        while true {
            let cpu = self.cpu
            let done = unsafe state.pointee.queues.withRemote(cpu) { queue in
                unsafe queue.threads.withLockInterruptsOff { threads, _ in
                    // It may have moved before the lock was taken.
                    guard self.cpu == cpu else { return false }
                    unsafe body(queue, &threads)
                    return true
                }
            }
            if done { return }
        }
    }
}

extension Scheduler {
    /// The CPUs that run threads. Any context; a snapshot.
    public static var onlineCPUs: CPUMask { unsafe TaskState.current.pointee.onlineCPUs.load() }
}
