// `ksoftirqd`: one thread a CPU, which runs soft IRQs when there are too many to run in between.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

enum SoftInterruptThread {
    /// Wakes this CPU's thread. Any context but NMI.
    static func wakeLocal() {
        unsafe DeferredState.current.pointee.perCPU.withRemote(CPU.index) { local in
            _ = local.thread?.wake()
        }
    }

    /// Whether this CPU's thread is running or about to: then it does the work.
    static var isRunningHere: Bool {
        unsafe DeferredState.current.pointee.perCPU.withRemote(CPU.index) { local in
            guard let thread = local.thread else { return false }
            return thread.state == .running && !thread.isCurrent
        }
    }

    /// Makes the threads of all CPUs; each begins to run when its CPU does.
    static func start(cpuCount: Int) throws(Errno) {
        for cpu in 0..<cpuCount {
            let thread = try Thread.create(name: ThreadName("ksoftirqd", number: cpu)) {
                (task: borrowing TaskContext) in serve(task)
            }
            thread.bind(to: CPUMask(cpu))
            unsafe DeferredState.current.pointee.perCPU.withRemote(cpu) { $0.setThread(thread) }
            thread.start()
        }
    }

    /// The thread's life: runs what is pending, lets others have the CPU, sleeps when there is nothing. For ever.
    private static func serve(_ task: borrowing TaskContext) {
        while turn(task) {}
    }

    @inline(never)
    private static func turn(_ task: borrowing TaskContext) -> Bool {
        Thread.parkIdle(task) { CPUArea.softInterruptsPending != 0 }
        runPending()
        Scheduler.reschedulePoint(task)
        return true
    }

    private static func runPending() {
        PreemptCount.add(PreemptCount.bottomHalf)
        InterruptFlag.disable()
        SoftInterrupts.runRounds()
        InterruptFlag.enable()
        // A reschedule that became due meanwhile happens in `serve`, and new soft IRQs end its next wait at once.
        _ = PreemptCount.subtractIsZero(PreemptCount.bottomHalf)
    }
}
