// Wake-ups: from a sleeping thread to a queued one, on whatever CPU suits.

import Machine
import Primitives
import Synchronization

extension Scheduler {
    /// Makes the thread run if it sleeps in one of `states`. Any context but NMI.
    @_noAllocation
    static func wake(_ thread: Thread, from states: ThreadState) -> Bool {
        let storage = unsafe thread.storage
        // The waker's condition is written before the state is read (Tasks.swift).
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        var seen = unsafe storage.pointee.state.load(ordering: .relaxed)
        while true {
            guard seen & states.rawValue != 0, thread.exists else { return false }
            let (exchanged, original) = unsafe storage.pointee.state.compareExchange(
                expected: seen, desired: ThreadState.running.rawValue, ordering: .sequentiallyConsistent)
            if exchanged { break }
            seen = original
        }
        // Not committed yet: the thread finds the new state when it calls `schedule`.
        if seen & ThreadState.blocked.rawValue == 0 { return true }
        if seen & ThreadState.uninterruptible.rawValue != 0 { noteUninterruptibleEnd() }
        withInterruptsOff { off in unsafe activate(storage, off) }
        return true
    }

    private static func noteUninterruptibleEnd() {
        let state = unsafe TaskState.current
        unsafe state.pointee.queues.withRemote(CPU.index) { queue in
            _ = unsafe queue.uninterruptible.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    /// Queues a runnable thread that is on no queue and that the caller owns.
    static func activate(_ storage: ThreadStorage.Pointer, _ off: borrowing InterruptsOff) {
        let state = unsafe TaskState.current
        unsafe storage.pointee.waitsSince = CycleClock.cycles
        unsafe storage.pointee.wasWoken = true
        while true {
            let target = unsafe chooseCPU(state, for: storage)
            let look = unsafe state.pointee.queues.withRemote(target) { queue in
                unsafe queue.threads.withLock(off) { threads in
                    unsafe queue.accept(&threads, storage, target)
                }
            }
            switch look {
            case .none:
                // Somebody with a higher priority was faster; perhaps there is another CPU.
                if unsafe storage.pointee.isRealTime { unsafe pushRealTime(state, from: target, off) }
                return
            case .wanted: return unsafe requestLook(state, target)
            case .refused: continue
            }
        }
    }

    /// The CPU it left if that one is still busy leaving it, or is idle; else an idle one; else, for a real-time thread, the one
    /// that runs the lowest priority; else the one it left.
    @inline(__always)
    private static func chooseCPU(_ state: TaskState.Pointer, for storage: ThreadStorage.Pointer) -> Int {
        let last = unsafe Int(truncatingIfNeeded: storage.pointee.cpu.load(ordering: .relaxed))
        return unsafe staysOn(state, last, storage) ? last : searchCPU(state, for: storage, last)
    }

    /// Whether a thread is as well off on the CPU it left, which is busy, as anywhere else: no other is idle, and no
    /// real-time thread is in its way. For machines of up to 64 CPUs; larger ones look at the whole masks.
    @inline(__always)
    private static func staysOn(
        _ state: TaskState.Pointer, _ last: Int, _ storage: ThreadStorage.Pointer
    ) -> Bool {
        guard unsafe state.pointee.cpuCount <= 64 else { return false }
        let allowed = unsafe storage.pointee.affinity.firstWord
        guard unsafe allowed & state.pointee.idleCPUs.firstWord == 0,
            unsafe allowed & state.pointee.onlineCPUs.firstWord & 1 &<< UInt64(last) != 0,
            unsafe !storage.pointee.onCPU.load(ordering: .acquiring)
        else { return false }
        return unsafe state.pointee.queues.withRemote(last) { queue in
            if unsafe queue.runningPriority.load(ordering: .relaxed) != 0 { return false }
            if unsafe queue.isLeaving.load(ordering: .relaxed) { return false }
            return unsafe !storage.pointee.isRealTime || queue.throttledUntil.load(ordering: .relaxed) == 0
        }
    }

    @inline(never)
    private static func searchCPU(
        _ state: TaskState.Pointer, for storage: ThreadStorage.Pointer, _ last: Int
    ) -> Int {
        let lastAllowed = unsafe state.pointee.queues.withRemote(last) { unsafe $0.mayRun(storage, last) }
        if unsafe storage.pointee.onCPU.load(ordering: .acquiring) {
            if lastAllowed { return last }
            while unsafe storage.pointee.onCPU.load(ordering: .acquiring) { Spin.pause() }
        }
        if lastAllowed, unsafe state.pointee.idleCPUs.contains(last),
            unsafe state.pointee.idleCPUs.remove(last)
        {
            return last
        }
        let affinity = unsafe storage.pointee.affinity.load()
        var idle = unsafe affinity.intersection(state.pointee.idleCPUs.load())
        while let cpu = idle.next(from: 0) {
            // Taken out of the set, so that two wakers do not choose the same CPU.
            if unsafe state.pointee.idleCPUs.remove(cpu) { return cpu }
            idle.remove(cpu)
        }
        let online = unsafe affinity.intersection(state.pointee.onlineCPUs.load())
        if unsafe storage.pointee.isRealTime || state.pointee.runsRealTime(last),
            let cpu = unsafe lowestCPU(
                state, in: online, below: max(storage.pointee.priority, 1), preferred: last)
        {
            return cpu
        }
        if lastAllowed, online.isEmpty || online.contains(last) { return last }
        if let cpu = online.next(from: 0) { return cpu }
        // A kernel thread bound to CPUs that do not run waits in the queue of one of them.
        if unsafe storage.pointee.isBoundKernelThread || !storage.pointee.isUser {
            return affinity.next(from: 0) ?? last
        }
        return unsafe breakAffinity(state, storage, last)
    }

    /// A program's thread that is bound to CPUs of which none runs any more may run anywhere, as on Linux.
    @_semantics("no_performance_analysis") @inline(never)
    private static func breakAffinity(
        _ state: TaskState.Pointer, _ storage: ThreadStorage.Pointer, _ last: Int
    ) -> Int {
        let name = unsafe storage.pointee.name
        printk(
            .info,
            "process \(unsafe storage.pointee.identifier.load(ordering: .relaxed)) (\(name.bytes.span.extracting(0..<name.count))) no longer affine to cpu\(last)"
        )
        unsafe storage.pointee.affinity.store(.all)
        return unsafe state.pointee.onlineCPUs.load().next(from: 0) ?? 0
    }

    /// Makes the CPU look at its queue soon; by an interrupt only if it would not look by itself.
    static func requestLook(_ state: TaskState.Pointer, _ cpu: Int) {
        if cpu == CPU.index { return PreemptCount.setNeedResched() }
        let mustInterrupt = unsafe state.pointee.queues.withRemote(cpu) { queue in
            if unsafe queue.wantsLook.exchange(true, ordering: .sequentiallyConsistent) { return false }
            let activity = unsafe queue.activity.load(ordering: .sequentiallyConsistent)
            return activity == RunQueue.Activity.busy.rawValue
                || activity == RunQueue.Activity.idleHalted.rawValue
        }
        if mustInterrupt { sendReschedule(UInt32(truncatingIfNeeded: cpu)) }
    }

    @_semantics("no_performance_analysis")
    private static func sendReschedule(_ cpu: UInt32) { unsafe TaskHooks.sendReschedule?(cpu) }

    @_semantics("no_performance_analysis")
    static func announceSliceEnd(_ time: UInt64) { unsafe TaskHooks.sliceEndChanged?(time) }

    @_semantics("no_performance_analysis") @inline(__always)
    static func announceIdle(_ isIdle: Bool) { unsafe TaskHooks.idleChanged?(isIdle) }

    /// Brings a thread that runs on another CPU into the kernel, so that it sees its flags.
    static func kick(_ thread: Thread) {
        guard thread.isRunning, !thread.isCurrent else { return }
        let state = unsafe TaskState.current
        withInterruptsOff { _ in unsafe requestLook(state, thread.cpu) }
    }
}

extension RunQueue {
    enum Look { case none, wanted, refused }

    /// Puts a woken thread into this CPU's order; says whether the CPU must look at it now. Queue lock held.
    borrowing func accept(
        _ threads: inout Threads, _ storage: ThreadStorage.Pointer, _ cpu: Int
    ) -> Look {
        let lastCPU = unsafe storage.pointee.cpu.load(ordering: .relaxed)
        unsafe storage.pointee.cpu.store(UInt32(truncatingIfNeeded: cpu), ordering: .sequentiallyConsistent)
        // Whoever narrows the affinity writes the mask first and then reads the CPU: one of us sees the other.
        if unsafe !mayRun(storage, cpu) {
            unsafe storage.pointee.cpu.store(lastCPU, ordering: .relaxed)
            return .refused
        }
        unsafe threads.add(storage)
        if unsafe storage.pointee.isRealTime { unsafe publishRealTime(threads) }
        unsafe publishLoad(threads)
        let now = CycleClock.now
        unsafe statistics.wakeUps.count()
        if cpu == CPU.index { unsafe statistics.localWakeUps.count() }
        guard let current = unsafe threads.current, unsafe !current.pointee.isIdle else { return .wanted }
        unsafe threads.charge(now)
        if unsafe storage.pointee.isRealTime && !current.pointee.isRealTime && !threads.quota.isExhausted {
            return .wanted
        }
        let areNormal =
            unsafe (storage.pointee.schedulingClass, current.pointee.schedulingClass) == (.normal, .normal)
        switch unsafe areNormal ? .comparesTime : threads.claim(of: storage, against: current, now) {
        case .preempts: return .wanted
        case .waits: return .none
        case .shortens:
            // Ends the slice for now: whoever looks sets it anew.
            unsafe threads.sliceEnd = .max
        case .comparesTime:
            let lead = SchedulerLimits.wakeUpGranularity
            if unsafe storage.pointee.node.key &+ lead < current.pointee.node.key { return .wanted }
        }
        if unsafe threads.sliceEnd != .max { return .none }
        // The running thread was alone and has no slice; only its own CPU can set its timer.
        if cpu != CPU.index { return .wanted }
        unsafe startSlice(&threads, now)
        return .none
    }
}

extension Scheduler {
    /// Whether this CPU's idle thread has it. Interrupts are off.
    public static var isIdle: Bool { unsafe Thread.currentStorage.pointee.isIdle }
}
