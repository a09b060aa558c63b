// The state of the tasks room: everything that is not part of a thread.

import Machine
import Primitives
import Synchronization

/// One of these a machine, made at boot and never freed; `TaskRoot` points at it.
@unsafe struct TaskState: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<TaskState>

    let queues: PerCPU<RunQueue>
    let cpuCount: Int
    let pool = unsafe SpinLock(ThreadPool())
    let nextIdentifier = Atomic<UInt64>(1)
    /// CPUs that run their idle thread and have not been chosen by a waker yet.
    let idleCPUs = AtomicCPUMask(CPUMask())
    /// CPUs whose idle loop has begun: those that threads may be put on.
    let onlineCPUs = AtomicCPUMask(CPUMask())

    /// CPUs for which a real-time thread waits.
    let realTimeWaiting = Atomic<Int>(0)
    /// What real-time threads may have of each CPU (`Scheduler.realTimeShare`), and a round-robin turn, in nanoseconds.
    let realTimePeriod = Atomic<UInt64>(1_000_000_000)
    let realTimeRuntime = Atomic<UInt64>(950_000_000)
    let roundRobinTurn = Atomic<UInt64>(100_000_000)

    init(cpuCount: Int) {
        unsafe self.cpuCount = cpuCount
        unsafe queues = PerCPU(count: cpuCount) { unsafe RunQueue(cpu: $0) }
    }

    /// The state of this machine. Valid from `Scheduler.boot` on.
    @inline(__always)
    static var current: Pointer {
        unsafe TaskRoot.pointer.unsafelyUnwrapped.assumingMemoryBound(to: TaskState.self)
    }
}
