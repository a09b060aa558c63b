// How scheduling begins: the state of the room, each CPU's idle thread, the idle loop.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization

extension Scheduler {
    /// Makes the state of the room for `cpuCount` possible CPUs. Once, on the boot CPU, as soon as there is a
    /// heap; then `enterCPU`, then threads can be created, and run when the idle loop begins.
    public static func boot(cpuCount: Int) {
        let state = TaskState.Pointer.allocate(capacity: 1)
        // Fresh memory that lives as long as the machine.
        unsafe state.initialize(to: TaskState(cpuCount: cpuCount))
        unsafe TaskRoot.pointer = UnsafeMutableRawPointer(state)
        unsafe PreemptionHook.reschedule = { Scheduler.preempt() }
    }

    /// Makes the code that runs on this CPU its idle thread. Once on each CPU, interrupts off.
    public static func enterCPU() {
        let state = unsafe TaskState.current
        let cpu = CPU.index
        // A CPU that comes back has its idle thread from the last time.
        let known = unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in unsafe threads.idle }
        }
        guard let storage = unsafe known ?? Thread.makeIdle(cpu) else {
            fatalError("no memory for an idle thread")
        }
        unsafe ThreadStorage.checkLayout(storage)
        CPUArea.currentThread = UInt(bitPattern: storage)
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.threads.withLockInterruptsOff { threads, _ in
                unsafe threads.idle = storage
                unsafe threads.current = storage
                unsafe threads.chargedAt = CycleClock.now
                unsafe threads.announcedEnd = 0
                unsafe queue.userState.address.pointee = UserState()
            }
            unsafe queue.mustPark.store(false, ordering: .relaxed)
            unsafe queue.isLeaving.store(false, ordering: .sequentiallyConsistent)
        }
    }

    /// The idle loop: runs threads, and halts the CPU when there are none. Never returns.
    public static func idle() -> Never {
        let state = unsafe TaskState.current
        let cpu = CPU.index
        InterruptFlag.disable()
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.activity.store(
                RunQueue.Activity.idleAwake.rawValue, ordering: .sequentiallyConsistent)
        }
        _ = unsafe state.pointee.idleCPUs.insert(cpu)
        _ = unsafe state.pointee.onlineCPUs.insert(cpu)
        // Threads may have been put here before the CPU was ready.
        PreemptCount.setNeedResched()
        while true { unsafe idleTurn(state, cpu) }
    }

    /// One turn: interrupts are off before and after.
    @inline(__always)
    private static func idleTurn(_ state: TaskState.Pointer, _ cpu: Int) {
        while unsafe PreemptCount.needResched || isWanted(state, cpu) {
            unsafe switchThreads(preempted: false)
        }
        if unsafe mustPark(state, cpu) { park() }
        if !callIdleWork() { unsafe halt(state, cpu) }
        // What interrupts are waiting come in here, and whatever `idleWork` left.
        InterruptFlag.enable()
        Spin.interleave()
        InterruptFlag.disable()
    }

    /// Whether the CPU is to be switched off, and nothing is left here to run.
    private static func mustPark(_ state: TaskState.Pointer, _ cpu: Int) -> Bool {
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            guard unsafe queue.mustPark.load(ordering: .relaxed) else { return false }
            return unsafe CPUArea.softInterruptsPending == 0 && queue.load.load(ordering: .relaxed) == 0
        }
    }

    @_semantics("no_performance_analysis") @inline(never)
    private static func park() {
        let state = unsafe TaskState.current
        unsafe state.pointee.queues.withRemote(CPU.index) { queue in
            unsafe queue.activity.store(
                RunQueue.Activity.offline.rawValue, ordering: .sequentiallyConsistent)
        }
        _ = unsafe state.pointee.idleCPUs.remove(CPU.index)
        unsafe TaskHooks.park?()
    }

    private static func isWanted(_ state: TaskState.Pointer, _ cpu: Int) -> Bool {
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.wantsLook.load(ordering: .sequentiallyConsistent)
        }
    }

    /// Says that only an interrupt can wake this CPU, looks once more, and sleeps until one comes. Whoever puts a
    /// thread here sees `idleHalted`, or the look here sees `wantsLook`.
    private static func halt(_ state: TaskState.Pointer, _ cpu: Int) {
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.activity.store(
                RunQueue.Activity.idleHalted.rawValue, ordering: .sequentiallyConsistent)
            if unsafe !queue.wantsLook.load(ordering: .sequentiallyConsistent) {
                InterruptFlag.enableAndHalt()
            }
            InterruptFlag.disable()
            unsafe queue.activity.store(
                RunQueue.Activity.idleAwake.rawValue, ordering: .sequentiallyConsistent)
        }
    }

    @_semantics("no_performance_analysis")
    private static func callIdleWork() -> Bool { unsafe TaskHooks.idleWork?() ?? false }
}

extension Thread {
    /// A handle for the code that already runs on this CPU: its idle thread.
    static func makeIdle(_ cpu: Int) -> ThreadStorage.Pointer? {
        let state = unsafe TaskState.current
        var storage = unsafe state.pointee.takeStorage()
        if unsafe storage == nil, unsafe state.pointee.growPool() {
            unsafe storage = state.pointee.takeStorage()
        }
        guard let storage = unsafe storage else { return nil }
        unsafe storage.pointee.isIdle = true
        unsafe storage.pointee.name = ThreadName("swapper", number: cpu)
        unsafe storage.pointee.cpu.store(UInt32(truncatingIfNeeded: cpu), ordering: .relaxed)
        unsafe storage.pointee.affinity.store(CPUMask(cpu))
        unsafe storage.pointee.onCPU.store(true, ordering: .relaxed)
        unsafe storage.pointee.state.store(ThreadState.running.rawValue, ordering: .relaxed)
        let number = unsafe state.pointee.nextIdentifier.wrappingAdd(1, ordering: .relaxed).oldValue
        unsafe storage.pointee.identifier.store(number, ordering: .releasing)
        return unsafe storage
    }
}
