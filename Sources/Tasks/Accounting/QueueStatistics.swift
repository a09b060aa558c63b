// What a run queue counts for /proc/schedstat: how often it was asked, and how long threads waited in it.

import Machine
import Primitives
import Synchronization

/// One CPU's counters. Written with the queue's lock, so loads and stores will do; read anywhere.
struct QueueStatistics: ~Copyable {
    let yields = Atomic<UInt64>(0)
    /// Times a thread was put here by a waker, and those by one of this CPU.
    let wakeUps = Atomic<UInt64>(0)
    let localWakeUps = Atomic<UInt64>(0)
    /// Times nothing was left to run.
    let idled = Atomic<UInt64>(0)
    /// Cycles that threads waited here, runnable, before they ran; and how often they got the CPU.
    let delay = Atomic<UInt64>(0)
    let turns = Atomic<UInt64>(0)
}

extension Atomic where Value == UInt64 {
    /// Adds without a locked instruction: for counters with one writer at a time.
    @inline(__always)
    func count(_ amount: UInt64 = 1) {
        store(load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }
}

/// One CPU's line of /proc/schedstat.
public struct ScheduleCounts: Sendable {
    public var yields: UInt64 = 0
    public var switches: UInt64 = 0
    public var idled: UInt64 = 0
    public var wakeUps: UInt64 = 0
    public var localWakeUps: UInt64 = 0
    /// Nanoseconds that threads ran, and that they waited for the CPU.
    public var runtime: UInt64 = 0
    public var delay: UInt64 = 0
    public var turns: UInt64 = 0
}

extension Scheduler {
    /// What a CPU has counted since boot. Any context but NMI.
    public static func counts(cpu: Int) -> ScheduleCounts {
        var counts = ScheduleCounts()
        let times = statistics(cpu: cpu)
        let now = CycleClock.now
        counts.runtime = now > times.idle ? now - times.idle : 0
        unsafe TaskState.current.pointee.queues.withRemote(cpu) { queue in
            counts.switches = unsafe queue.switches.load(ordering: .relaxed)
            counts.yields = unsafe queue.statistics.yields.load(ordering: .relaxed)
            counts.idled = unsafe queue.statistics.idled.load(ordering: .relaxed)
            counts.wakeUps = unsafe queue.statistics.wakeUps.load(ordering: .relaxed)
            counts.localWakeUps = unsafe queue.statistics.localWakeUps.load(ordering: .relaxed)
            counts.delay = unsafe CycleClock.nanoseconds(queue.statistics.delay.load(ordering: .relaxed))
            counts.turns = unsafe queue.statistics.turns.load(ordering: .relaxed)
        }
        return counts
    }
}

extension Thread {
    /// Nanoseconds it waited, runnable, for a CPU; and how often it got one.
    public var delay: (nanoseconds: UInt64, turns: UInt64) {
        unsafe (
            CycleClock.nanoseconds(storage.pointee.delay.load(ordering: .relaxed)),
            storage.pointee.turns.load(ordering: .relaxed)
        )
    }
}
