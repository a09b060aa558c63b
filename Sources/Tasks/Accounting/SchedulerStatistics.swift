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
    /// Nanoseconds in user mode, in user mode at a nice value above 0, in the kernel (interrupts included)
    /// and without work.
    public var user: UInt64 = 0
    public var nice: UInt64 = 0
    public var system: UInt64 = 0
    public var idle: UInt64 = 0

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
            let (idle, isNice) = unsafe idleTime(queue)
            result.idle = idle
            (result.user, result.nice) = unsafe queue.times.total(cpu: cpu, isCurrentNice: isNice)
        }
        // What is left of the time since boot.
        let known = result.user &+ result.nice &+ result.idle
        let now = CycleClock.now
        result.system = now > known ? now - known : 0
        return result
    }

    /// Nanoseconds the CPU's idle thread had it, up to now, and whether the thread that has it is nice to others.
    private static func idleTime(_ queue: borrowing RunQueue) -> (UInt64, isNice: Bool) {
        unsafe queue.threads.withLockInterruptsOff { threads, _ in
            guard let idle = unsafe threads.idle else { return (0, false) }
            if unsafe threads.current == idle { unsafe threads.charge(CycleClock.now) }
            let isNice = unsafe (threads.current?.pointee.nice ?? 0) > 0
            return unsafe (idle.pointee.runtime.load(ordering: .relaxed), isNice)
        }
    }
}
