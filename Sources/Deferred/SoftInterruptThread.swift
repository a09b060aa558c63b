// `ksoftirqd/N`: the thread that runs soft IRQs when they come faster than the exits of hard interrupts should
// handle. Its nice value is that of ordinary programs, so it shares the CPU with them.

import Machine
import Primitives
import Tasks

enum SoftInterruptThread {
    /// Where each CPU's thread waits for something pending.
    private static let waiting = PerCPU<WaitQueue>(count: CPUs.count) { _ in WaitQueue() }

    /// Makes the threads of all CPUs. Boot CPU, in task context or before tasks run.
    static func createAll() throws(Errno) {
        precondition(waiting.count == CPUs.count)
        for cpu in 0..<CPUs.count {
            let thread = try Thread.create(name: ThreadName("ksoftirqd/", number: cpu)) { task in
                loop(cpu, task)
            }
            thread.bind(to: CPUMask(cpu))
            thread.start()
        }
    }

    /// Wakes this CPU's thread. Preemption or interrupts are off.
    static func wake() { waiting.withRemote(CPU.index) { $0.wakeOne() } }

    private static func loop(_ cpu: Int, _ task: borrowing TaskContext) {
        while true {
            waiting.withRemote(cpu) { queue in
                queue.waitUninterruptibly(task) { CPUArea.softInterruptsPending != 0 }
            }
            // Enabling bottom halves runs what is pending.
            withBottomHalvesOff { _ in }
            Scheduler.reschedulePoint(task)
        }
    }
}
