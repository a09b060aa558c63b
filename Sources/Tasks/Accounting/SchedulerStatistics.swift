// What scheduling looks like from outside: for `/proc/stat`, `/proc/loadavg` and their like.

import Machine
import Primitives
import Synchronization

/// One CPU's numbers at one moment.
public struct SchedulerStatistics: Sendable {
    /// Runnable threads, the running one included.
    public var runnable = 0
    /// Threads that went to sleep uninterruptibly here less those woken here: meaningful as a sum over all CPUs.
    public var uninterruptible = 0
    public var switches: UInt64 = 0
    /// Nanoseconds in user mode, in user mode at a nice value above 0, in the kernel, without work, in
    /// hard interrupts and in soft IRQs.
    public var user: UInt64 = 0
    public var nice: UInt64 = 0
    public var system: UInt64 = 0
    public var idle: UInt64 = 0
    public var interrupt: UInt64 = 0
    public var softInterrupt: UInt64 = 0

    public init() {}
}

extension Scheduler {
    /// The numbers of a CPU. Any context but NMI.
    public static func statistics(cpu: Int) -> SchedulerStatistics {
        let state = unsafe TaskState.current
        var result = SchedulerStatistics()
        unsafe state.pointee.queues.withRemote(cpu) { queue in
            result.runnable = Int(unsafe queue.load.load(ordering: .relaxed))
            result.uninterruptible = Int(unsafe queue.uninterruptible.load(ordering: .relaxed))
            result.switches = unsafe queue.switches.load(ordering: .relaxed)
            result.user = unsafe queue.times.user.load(ordering: .relaxed)
            result.nice = unsafe queue.times.nice.load(ordering: .relaxed)
            result.interrupt = unsafe queue.times.interrupt.load(ordering: .relaxed)
            result.softInterrupt = unsafe queue.times.softInterrupt.load(ordering: .relaxed)
            result.idle = unsafe idleTime(queue)
        }
        // What is left of the time since boot.
        let known = result.user &+ result.nice &+ result.idle &+ result.interrupt &+ result.softInterrupt
        let now = CycleClock.now
        result.system = now > known ? now - known : 0
        return result
    }

    /// Nanoseconds the CPU's idle thread had it, up to now.
    private static func idleTime(_ queue: borrowing RunQueue) -> UInt64 {
        unsafe queue.threads.withLockInterruptsOff { threads, _ in
            guard let idle = unsafe threads.idle else { return 0 }
            if unsafe threads.current == idle { unsafe threads.charge(CycleClock.now) }
            return unsafe idle.pointee.runtime.load(ordering: .relaxed)
        }
    }
}
