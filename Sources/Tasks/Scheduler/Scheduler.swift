// The scheduler's face: giving up the CPU, by one's own will or not. Tasks.swift tells the protocol.

import Machine
@_spi(ContextEntry) import Primitives

public enum Scheduler {
    /// Gives up the CPU: to sleep if the thread's state says so, else to let others run that have more right
    /// to it. Returns when the thread runs again. No guard or lock may be held.
    public static func schedule(_ task: borrowing TaskContext) {
        #if APUS_DEBUG_LOCKS
            Lockdep.mightSleep()
        #endif
        checkMayBlock()
        let worker = Thread.currentWorker
        if worker != 0 { tellWorkerSleeps(worker) }
        let wereEnabled = InterruptFlag.isEnabled
        InterruptFlag.disable()
        unsafe switchThreads(preempted: false)
        if wereEnabled { InterruptFlag.enable() }
        if worker != 0 { tellWorkerRuns(worker) }
    }

    /// A worker that sleeps lets another one of its CPU work.
    @inline(never)
    private static func tellWorkerSleeps(_ worker: UInt) {
        if Thread.current.state == .running { return }
        unsafe TaskHooks.workerSleeps?(worker)
    }

    @inline(never)
    private static func tellWorkerRuns(_ worker: UInt) { unsafe TaskHooks.workerRuns?(worker) }

    /// Lets all others of this CPU run before this thread goes on (sched_yield(2)).
    public static func yield(_ task: borrowing TaskContext) {
        withInterruptsOff { _ in stepBack() }
        schedule(task)
    }

    /// Gives up the CPU if somebody waits for it (`cond_resched`). To be called in long loops.
    @inline(__always)
    public static func reschedulePoint(_ task: borrowing TaskContext) {
        if PreemptCount.needResched { schedule(task) }
    }

    /// Takes the CPU from the running thread, whatever its state says. Called when the preemption count
    /// falls to zero with a reschedule wanted: with interrupts on from task context, with interrupts off from
    /// the exit of an interrupt that came from the kernel, on the thread's own stack.
    @inline(never)
    static func preempt() {
        let wereEnabled = InterruptFlag.isEnabled
        InterruptFlag.disable()
        while PreemptCount.value == 0 { unsafe switchThreads(preempted: true) }
        if wereEnabled { InterruptFlag.enable() }
    }

    /// The reschedule interrupt (vector 0xfc): somebody put a thread on this CPU's queue.
    @_noAllocation
    public static func rescheduleInterrupt() { PreemptCount.setNeedResched() }

    /// To be called in each timer interrupt: ends the slice of the running thread if it is over. Returns when the slice
    /// ends, `.max` if it has none. Interrupts are off.
    @_noAllocation
    public static func sliceTick() -> UInt64 {
        // Says what the interrupt made so.
        let off = InterruptsOff()
        let state = unsafe TaskState.current
        let cpu = CPU.index
        let end = unsafe state.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.threads.withLock(off) { threads in
                // Not kept without a slice.
                if unsafe threads.sliceEnd == .max { unsafe threads.announcedEnd = 0 }
                return unsafe threads.sliceEnd
            }
        }
        if end == .max || CycleClock.now < end { return end }
        PreemptCount.setNeedResched()
        unsafe pushThread(state, from: cpu, off)
        return .max
    }

    /// A thread that holds a spin lock or runs in an interrupt must not give up the CPU: stops the kernel.
    @inline(__always)
    private static func checkMayBlock() {
        if PreemptCount.value & ~PreemptCount.noReschedule != 0 { scheduledWhileAtomic() }
    }

    @inline(never)
    private static func scheduledWhileAtomic() -> Never {
        printk(
            .emergency,
            "scheduling while atomic: thread \(Thread.current.identifier), count \(hex: PreemptCount.value)")
        fatalError("scheduling while atomic")
    }
}
