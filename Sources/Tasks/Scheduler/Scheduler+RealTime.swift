// Real-time threads across CPUs: of all that can run, those with the highest priorities do, one on each CPU.
//
// Each CPU says which priority it runs and which one waits for it (`RunQueue.runningPriority`, `waitingPriority`). Who makes a
// thread wait says so first and then looks for a CPU that runs something lower; who is about to run something lower says
// so first and then looks for a thread that waits. Both are sequentially consistent, so one of the two sees the other.
// A thread whose registers are still on a CPU cannot be taken away: that CPU looks again after the switch.

import Machine
import Primitives
import Synchronization

extension Scheduler {
    /// Before this CPU chooses: fetches threads with a higher priority than all that it has itself. Interrupts are off.
    @inline(never)
    static func pullRealTime(_ state: TaskState.Pointer, to cpu: Int, _ previous: ThreadStorage.Pointer) {
        guard var mine = unsafe announceNext(state, cpu, previous) else { return }
        Spin.interleave()
        guard unsafe state.pointee.realTimeWaiting.load(ordering: .sequentiallyConsistent) != 0,
            unsafe state.pointee.onlineCPUs.contains(cpu)
        else { return }
        for other in unsafe 0..<state.pointee.cpuCount where other != cpu {
            let waiting = unsafe state.pointee.queues.withRemote(other) { queue in
                unsafe queue.waitingPriority.load(ordering: .sequentiallyConsistent)
            }
            guard waiting > mine else { continue }
            guard let storage = unsafe detachRealTime(state, from: other, for: cpu, above: mine) else {
                continue
            }
            mine = unsafe storage.pointee.priority
            unsafe put(state, storage, on: cpu)
        }
    }

    /// Says which priority this CPU is going to run; nil if it takes no real-time threads now.
    private static func announceNext(
        _ state: TaskState.Pointer, _ cpu: Int, _ previous: ThreadStorage.Pointer
    ) -> UInt8? {
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in
                let now = CycleClock.now
                unsafe threads.charge(now)
                unsafe threads.quota.renew(now)
                if unsafe threads.quota.isExhausted, unsafe threads.tree.first != nil { return nil }
                let isRunning =
                    unsafe previous.pointee.state.load(ordering: .relaxed) == ThreadState.running.rawValue
                let own = unsafe isRunning ? previous.pointee.priority : 0
                let next = unsafe max(own, threads.realTime.highest)
                unsafe queue.runningPriority.store(next, ordering: .sequentiallyConsistent)
                return next
            }
        }
    }

    private static func detachRealTime(
        _ state: TaskState.Pointer, from source: Int, for target: Int, above priority: UInt8
    ) -> ThreadStorage.Pointer? {
        unsafe state.pointee.queues.withRemote(source) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in
                unsafe queue.detachRealTime(&threads, for: target, above: priority)
            }
        }
    }

    /// After a switch on a CPU with real-time threads: those that have to wait here run elsewhere if they can, and so does
    /// who has been put aside for one.
    @inline(never)
    static func settleRealTime(_ state: TaskState.Pointer, _ cpu: Int, _ off: borrowing InterruptsOff) {
        // Whoever put a thread here that was still on this CPU could not move it, and said before that it waits.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if unsafe state.pointee.waitingPriority(of: cpu) != 0 { unsafe pushRealTime(state, from: cpu, off) }
        unsafe pushThread(state, from: cpu, off)
    }

    /// Gives waiting real-time threads of a CPU to others that run something lower.
    static func pushRealTime(_ state: TaskState.Pointer, from cpu: Int, _ off: borrowing InterruptsOff) {
        // Each turn moves a thread; others may bring new ones meanwhile, but they look themselves.
        for _ in 0..<16 {
            Spin.interleave()
            let found = unsafe state.pointee.queues.withRemote(cpu) { queue in
                unsafe queue.threads.withLockInterruptsOff { threads, _ in
                    unsafe queue.takePushable(&threads, state)
                }
            }
            guard let (storage, target) = unsafe found else { return }
            unsafe place(state, storage, on: target, off)
        }
    }

    /// Queues a thread that the caller owns on a CPU, or elsewhere if it may not be there any more.
    static func place(
        _ state: TaskState.Pointer, _ storage: ThreadStorage.Pointer, on target: Int,
        _ off: borrowing InterruptsOff
    ) {
        let look = unsafe state.pointee.queues.withRemote(target) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in
                unsafe queue.accept(&threads, storage, target)
            }
        }
        switch look {
        case .none: return
        case .wanted: unsafe requestLook(state, target)
        case .refused: unsafe activate(storage, off)
        }
    }

    /// The CPU of `allowed` that runs the lowest priority, if that is below `priority`: an idle one if there is one, else
    /// `preferred` if it is as good as others.
    static func lowestCPU(
        _ state: TaskState.Pointer, in allowed: CPUMask, below priority: UInt8, preferred: Int
    ) -> Int? {
        var best: Int? = nil
        var lowest = Int(priority) * 2
        let now = CycleClock.now
        allowed.forEach { cpu in
            let rank = unsafe state.pointee.queues.withRemote(cpu) { queue in
                let running = unsafe Int(queue.runningPriority.load(ordering: .sequentiallyConsistent)) * 2
                return unsafe queue.throttledUntil.load(ordering: .relaxed) > now ? Int.max : running
            }
            let isIdle = unsafe rank == 0 && state.pointee.idleCPUs.contains(cpu)
            let value = isIdle ? -1 : rank
            if value < lowest || (value == lowest && cpu == preferred && best != nil) {
                lowest = value
                best = cpu
            }
        }
        return best
    }
}

extension RunQueue {
    /// Takes the waiting thread with the highest priority above `priority` that may run on `target`.
    borrowing func detachRealTime(
        _ threads: inout Threads, for target: Int, above priority: UInt8
    ) -> ThreadStorage.Pointer? {
        var next = unsafe threads.realTime.first
        while let storage = unsafe next, unsafe storage.pointee.priority > priority {
            if unsafe !storage.pointee.onCPU.load(ordering: .acquiring),
                unsafe storage.pointee.affinity.contains(target)
            {
                unsafe takeOut(&threads, storage)
                return unsafe storage
            }
            unsafe next = threads.realTime.next(after: storage)
        }
        return nil
    }

    /// Takes the first waiting real-time thread for which there is a better CPU, and says which.
    borrowing func takePushable(
        _ threads: inout Threads, _ state: TaskState.Pointer
    ) -> (ThreadStorage.Pointer, Int)? {
        let own = unsafe threads.current?.pointee.cpu.load(ordering: .relaxed)
        var next = unsafe threads.realTime.first
        while let storage = unsafe next {
            if unsafe !storage.pointee.onCPU.load(ordering: .acquiring) {
                var allowed = unsafe storage.pointee.affinity.load().intersection(
                    state.pointee.onlineCPUs.load())
                if let own { allowed.remove(Int(own)) }
                let target = unsafe Scheduler.lowestCPU(
                    state, in: allowed, below: storage.pointee.priority, preferred: -1)
                if let target {
                    unsafe takeOut(&threads, storage)
                    return unsafe (storage, target)
                }
            }
            unsafe next = threads.realTime.next(after: storage)
        }
        return nil
    }
}
