// Keeping CPUs from idling while others queue: an idle CPU pulls a thread, a busy one gives some away when
// its slice ends.

import Machine
import Primitives
import Synchronization

extension Scheduler {
    /// Most threads looked at in a queue before giving up: those behind may have to wait for the next time.
    private static let searchLimit = 16

    /// Takes a thread from the busiest CPU to this one, which has none; true if it got one. Interrupts off.
    static func pullThread(_ state: TaskState.Pointer, to cpu: Int) -> Bool {
        guard unsafe state.pointee.onlineCPUs.contains(cpu), let source = unsafe busiest(state, except: cpu)
        else {
            return false
        }
        guard let storage = unsafe detach(state, from: source, for: cpu) else { return false }
        unsafe put(state, storage, on: cpu)
        return true
    }

    /// Gives one of this CPU's waiting threads to a CPU with at least two fewer.
    static func pushThread(_ state: TaskState.Pointer, from cpu: Int, _ off: borrowing InterruptsOff) {
        guard let target = unsafe quietest(state, than: cpu) else { return }
        guard let storage = unsafe detach(state, from: cpu, for: target) else { return }
        unsafe place(state, storage, on: target, off)
    }

    private static func busiest(_ state: TaskState.Pointer, except cpu: Int) -> Int? {
        var best: Int? = nil
        var most: UInt32 = 1
        for other in unsafe 0..<state.pointee.cpuCount where other != cpu {
            let load = unsafe state.pointee.load(of: other)
            if load > most {
                most = load
                best = other
            }
        }
        return best
    }

    private static func quietest(_ state: TaskState.Pointer, than cpu: Int) -> Int? {
        var best: Int? = nil
        let mine = unsafe state.pointee.load(of: cpu)
        guard mine >= 2 else { return nil }
        var least = mine - 1
        for other in unsafe 0..<state.pointee.cpuCount where other != cpu {
            guard unsafe state.pointee.onlineCPUs.contains(other) else { continue }
            let load = unsafe state.pointee.load(of: other)
            if load < least {
                least = load
                best = other
            }
        }
        return best
    }

    /// Takes a waiting thread that may run on `target` off a queue. The caller owns it afterwards.
    private static func detach(
        _ state: TaskState.Pointer, from source: Int, for target: Int
    ) -> ThreadStorage.Pointer? {
        unsafe state.pointee.queues.withRemote(source) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in
                unsafe queue.detach(&threads, for: target, limit: searchLimit)
            }
        }
    }

    static func put(_ state: TaskState.Pointer, _ storage: ThreadStorage.Pointer, on cpu: Int) {
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in
                unsafe storage.pointee.cpu.store(
                    UInt32(truncatingIfNeeded: cpu), ordering: .sequentiallyConsistent)
                unsafe threads.add(storage)
                if unsafe storage.pointee.isRealTime {
                    unsafe queue.publishRealTime(threads)
                }
                unsafe queue.publishLoad(threads)
            }
        }
    }
}

extension RunQueue {
    borrowing func detach(_ threads: inout Threads, for target: Int, limit: Int) -> ThreadStorage.Pointer? {
        var node = unsafe threads.tree.first
        var tries = limit
        while let here = unsafe node, tries > 0 {
            let storage = unsafe ThreadStorage.owner(of: here)
            if unsafe !storage.pointee.onCPU.load(ordering: .acquiring),
                unsafe storage.pointee.affinity.contains(target)
            {
                unsafe takeOut(&threads, storage)
                return unsafe storage
            }
            unsafe node = OrderedQueue.next(after: here)
            tries -= 1
        }
        return nil
    }
}

extension TaskState {
    @inline(__always)
    func runsRealTime(_ cpu: Int) -> Bool { unsafe runningPriority(of: cpu) != 0 }

    @inline(__always)
    func runningPriority(of cpu: Int) -> UInt8 {
        unsafe queues.withRemote(cpu) { queue in unsafe queue.runningPriority.load(ordering: .relaxed) }
    }

    @inline(__always)
    func waitingPriority(of cpu: Int) -> UInt8 {
        unsafe queues.withRemote(cpu) { queue in unsafe queue.waitingPriority.load(ordering: .relaxed) }
    }

    /// Whether real-time threads have had their share of this CPU.
    @inline(__always)
    func isThrottled(_ cpu: Int) -> Bool {
        unsafe queues.withRemote(cpu) { queue in unsafe queue.throttledUntil.load(ordering: .relaxed) != 0 }
    }

    @inline(__always)
    func load(of cpu: Int) -> UInt32 {
        unsafe queues.withRemote(cpu) { queue in unsafe queue.load.load(ordering: .relaxed) }
    }
}
