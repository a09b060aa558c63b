// The pools and queues of a machine.

import Machine
import Primitives
import Synchronization
import Tasks

/// All pools: two for each CPU, then the two that are bound to none.
@unsafe struct WorkerPools {
    private let base: WorkerPool.Pointer
    let cpuCount: Int
    var count: Int { unsafe cpuCount * 2 + 2 }

    /// Boot only; allocates.
    init(cpuCount: Int) {
        unsafe self.cpuCount = cpuCount
        let count = cpuCount * 2 + 2
        unsafe base = .allocate(capacity: count)
        for number in 0..<count {
            let cpu = number < cpuCount * 2 ? number / 2 : -1
            // Inside the allocation, which lives as long as the machine.
            unsafe (base + number).initialize(
                to: WorkerPool(number: number, cpu: cpu, nice: number & 1 == 0 ? 0 : -20))
        }
    }

    /// The pool of a number that a work has.
    @inline(__always)
    func pool(_ number: Int) -> WorkerPool.Pointer { unsafe base + number }

    func bound(_ cpu: Int, _ isHigh: Bool) -> WorkerPool.Pointer {
        unsafe base + (cpu * 2 + (isHigh ? 1 : 0))
    }

    func unbound(_ isHigh: Bool) -> WorkerPool.Pointer { unsafe base + (cpuCount * 2 + (isHigh ? 1 : 0)) }
}

/// All queues.
@safe struct WorkQueueList: ~Copyable {
    struct Predefined {
        let events: WorkQueue
        let highPriority: WorkQueue
        let long: WorkQueue
        let unbound: WorkQueue
        let powerEfficient: WorkQueue
    }

    private let list = SpinLock<[WorkQueue]>([])
    /// Set at boot.
    private let cell = unsafe Cell<Predefined?>(nil)

    init() {}

    @inline(__always)
    var predefined: Predefined { unsafe cell.address.pointee.unsafelyUnwrapped }

    func set(_ predefined: Predefined) { unsafe cell.address.pointee = predefined }

    func add(_ queue: WorkQueue) { list.withLock { $0.append(queue) } }

    func remove(_ queue: WorkQueue) { list.withLock { $0.removeAll { $0 == queue } } }

    var all: [WorkQueue] { list.withLock { $0 } }
}

public enum WorkQueues {
    /// Makes the first worker of each pool, and the kernel's own queues. Once, on the boot CPU, after `SoftInterrupts.boot`.
    /// Throws `.noMemory`.
    public static func boot() throws(Errno) {
        unsafe TaskHooks.workerSleeps = { @Sendable word in
            // The running thread's worker.
            unsafe WorkerPool.workerSleeps(Worker.Pointer(bitPattern: word).unsafelyUnwrapped)
        }
        unsafe TaskHooks.workerRuns = { @Sendable word in
            unsafe WorkerPool.workerRuns(Worker.Pointer(bitPattern: word).unsafelyUnwrapped)
        }
        let state = unsafe DeferredState.current
        let pools = unsafe state.pointee.pools
        for number in unsafe 0..<pools.count { try unsafe WorkerPool.hire(pools.pool(number)) }
        unsafe WorkerPool.followHotplug()
        unsafe state.pointee.workQueues.set(
            WorkQueueList.Predefined(
                events: try WorkQueue("events"),
                highPriority: try WorkQueue("events_highpri", .highPriority),
                long: try WorkQueue("events_long"),
                unbound: try WorkQueue("events_unbound", .unbound),
                powerEfficient: try WorkQueue("events_power_efficient", .powerEfficient)))
    }

    /// How long a pool may have work and begin none before it is reported, in nanoseconds.
    public static let stallLimit: UInt64 = 30_000_000_000

    /// Reports pools that have not begun a work for `stallLimit` though some wait, and lets workers go that have been idle
    /// for long. To be called every few seconds with the time-stamp counter as `now`. Any context but NMI.
    /// - Returns: how many pools stall.
    @discardableResult
    public static func watch(now: UInt64) -> Int {
        let pools = unsafe DeferredState.current.pointee.pools
        var stalled = 0
        for number in unsafe 0..<pools.count {
            let pool = unsafe pools.pool(number)
            if unsafe isStalled(pool, now) { stalled += 1 }
            unsafe WorkerPool.dismissIdle(pool, now: now)
        }
        return stalled
    }

    private static func isStalled(_ pool: WorkerPool.Pointer, _ now: UInt64) -> Bool {
        var waiting: StaticString = ""
        var running: StaticString = "nothing"
        var since: UInt64 = 0
        var isNew = false
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            guard let work = unsafe state.works.first else { return }
            let progress = unsafe state.progressAt
            guard now > progress, CycleClock.nanoseconds(now - progress) >= stallLimit else { return }
            since = CycleClock.nanoseconds(now - progress)
            unsafe waiting = work.pointee.name
            unsafe WorkerPool.forEachRunning(&state) { running = $0 }
            isNew = unsafe state.reportedAt != progress
            unsafe state.reportedAt = progress
        }
        if since == 0 { return false }
        if isNew {
            let cpu = unsafe pool.pointee.cpu
            let nice = unsafe pool.pointee.nice
            printk(
                .error,
                "BUG: workqueue lockup - pool cpus=\(cpu) nice=\(nice) stuck for \(since / 1_000_000_000)s: \(waiting) waits, \(running) runs"
            )
        }
        return true
    }
}

extension WorkQueues {
    /// Workers there are, of all pools.
    public static var workerCount: Int {
        let pools = unsafe DeferredState.current.pointee.pools
        var count = 0
        for number in unsafe 0..<pools.count {
            unsafe pools.pool(number).pointee.state.withLockInterruptsOff { state, _ in
                unsafe count += state.workerCount
            }
        }
        return count
    }
}
