// `ksoftirqd`: one thread a CPU, which runs soft IRQs when there are too many to run in between.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

enum SoftInterruptThread {
    /// Wakes this CPU's thread, which does the work from now on. Any context but NMI; interrupts are off.
    @inline(never) @_noAllocation
    static func wakeLocal() {
        let local = unsafe DeferredLocal.current
        guard let thread = unsafe local.pointee.thread else { return }
        CPUArea.isSoftInterruptThreadActive = true
        _ = thread.wake()
    }

    /// Makes the threads of all CPUs; each begins to run when its CPU does.
    static func start(cpuCount: Int) throws(Errno) {
        for cpu in 0..<cpuCount {
            let thread = try Thread.create(name: ThreadName("ksoftirqd", number: cpu)) {
                (task: borrowing TaskContext) in serve(task)
            }
            thread.bind(to: CPUMask(cpu))
            // A storm of soft IRQs leaves others three quarters of the CPU.
            thread.setNice(5)
            // Before the CPU raises anything.
            unsafe DeferredState.current.pointee.perCPU.withRemote(cpu) {
                unsafe $0.local.pointee.thread = thread
            }
            thread.start()
        }
    }

    /// The thread's life: runs what is pending, lets others have the CPU, sleeps when there is nothing. For ever.
    private static func serve(_ task: borrowing TaskContext) {
        while turn(task) {}
    }

    @inline(never)
    private static func turn(_ task: borrowing TaskContext) -> Bool {
        Thread.parkIdle(task) { CPUArea.isSoftInterruptPending }
        runPending()
        Scheduler.reschedulePoint(task)
        return true
    }

    private static func runPending() {
        PreemptCount.add(PreemptCount.bottomHalf)
        InterruptFlag.disable()
        let now = SoftInterrupts.runInThread()
        // What is raised from here on runs where it is raised, unless there is something left for this thread.
        if !CPUArea.isSoftInterruptPending, SoftInterrupts.isWindowOver(now) {
            CPUArea.isSoftInterruptThreadActive = false
        }
        InterruptFlag.enable()
        // A reschedule that became due meanwhile happens in `serve`, and new soft IRQs end its next wait at once.
        _ = PreemptCount.subtractIsZero(PreemptCount.bottomHalf)
    }
}
