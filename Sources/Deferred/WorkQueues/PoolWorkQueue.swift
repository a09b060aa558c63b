// What a work queue has at one pool (Linux's `pool_workqueue`).

import Machine
import Primitives
import Synchronization

/// Guarded by the lock of its pool, but for what says otherwise.
@unsafe struct PoolWorkQueue: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<PoolWorkQueue>

    /// Its queue, which owns and outlives it.
    let queue: WorkQueueCore.Pointer
    let pool: WorkerPool.Pointer
    /// Works of this queue that the pool may have at a time, waiting or running.
    let maxActive: Int
    /// The queue's works do not count as having the CPU.
    let isCPUIntensive: Bool
    var active = 0
    /// Those beyond, in order.
    let inactive = unsafe WorkList()

    /// How many these are, without barriers.
    var inactiveCount: Int {
        var count = 0
        var work = unsafe inactive.first
        while let here = unsafe work {
            if unsafe here.pointee.isInactive { count += 1 }
            unsafe work = inactive.next(here)
        }
        return count
    }

    /// The color that works get now, and the works of each color that have not been run.
    var color = 0
    var inFlight = InlineArray<2, Int>(repeating: 0)
    /// The color that a flush waits for.
    var flushedColor: Int? = nil

    /// In the list of those that need the rescuer, and the next there. Rescue lock.
    var needsRescue = false
    var nextRescued: Pointer? = nil

    /// For `WorkQueues.queues`: works run, of these by the rescuer.
    var done: UInt64 = 0
    var rescued: UInt64 = 0

    init(_ queue: WorkQueueCore.Pointer, _ pool: WorkerPool.Pointer, maxActive: Int) {
        unsafe self.queue = unsafe queue
        unsafe self.pool = unsafe pool
        unsafe self.maxActive = maxActive
        unsafe isCPUIntensive = queue.pointee.flags.contains(.cpuIntensive)
    }

    /// Counts a work in and puts it where it waits: at the pool, or here when the pool has enough of this queue.
    @inline(__always)
    static func insert(
        _ link: Pointer, _ work: WorkCore.Pointer, _ pool: inout WorkerPool.State, now: UInt64
    ) {
        unsafe work.pointee.link = link
        // Another CPU that looks for the work where it was last sees the link, but not the lock.
        Spin.interleave()
        unsafe work.pointee.queuedAt = now
        let color = unsafe link.pointee.color
        unsafe work.pointee.color = color
        unsafe work.pointee.pool.store(
            Int32(truncatingIfNeeded: link.pointee.pool.pointee.number), ordering: .relaxed)
        unsafe link.pointee.inFlight[unchecked: color] &+= 1
        if unsafe link.pointee.active < link.pointee.maxActive {
            unsafe link.pointee.active &+= 1
            if unsafe pool.works.isEmpty { unsafe pool.progressAt = now }
            unsafe pool.works.append(work)
        } else {
            unsafe work.pointee.isInactive = true
            unsafe link.pointee.inactive.append(work)
        }
    }

    /// Counts a work out: lets the next inactive one go to the pool, and tells a flush that waited for the last.
    @inline(__always)
    static func countOut(_ link: Pointer, color: Int, _ pool: inout WorkerPool.State) {
        unsafe link.pointee.active &-= 1
        if let work = unsafe link.pointee.inactive.first { unsafe activateNext(link, work, &pool) }
        // A color is 0 or 1.
        let left = unsafe link.pointee.inFlight[unchecked: color] &- 1
        unsafe link.pointee.inFlight[unchecked: color] = left
        if left == 0 { unsafe tellFlush(link, color) }
    }

    /// A link has no more works of a color.
    @inline(never)
    private static func tellFlush(_ link: Pointer, _ color: Int) {
        guard unsafe link.pointee.flushedColor == color else { return }
        unsafe link.pointee.flushedColor = nil
        unsafe link.pointee.queue.pointee.flushState.countDown()
    }

    @inline(__always)
    private static func activateNext(
        _ link: Pointer, _ work: WorkCore.Pointer, _ pool: inout WorkerPool.State
    ) {
        if unsafe link.pointee.active >= link.pointee.maxActive { return }
        if unsafe work.pointee.hasFollower || pool.works.isEmpty {
            return unsafe activateUncommon(link, work, &pool)
        }
        unsafe work.pointee.isInactive = false
        unsafe link.pointee.active &+= 1
        unsafe WorkList.remove(work)
        unsafe pool.works.append(work)
    }

    @inline(never)
    private static func activateUncommon(
        _ link: Pointer, _ work: WorkCore.Pointer, _ pool: inout WorkerPool.State
    ) {
        unsafe activate(link, work, &pool)
    }

    /// Moves an inactive work and its barriers to the pool.
    static func activate(_ link: Pointer, _ work: WorkCore.Pointer, _ pool: inout WorkerPool.State) {
        if unsafe pool.works.isEmpty { unsafe pool.progressAt = CycleClock.cycles }
        unsafe work.pointee.isInactive = false
        unsafe link.pointee.active &+= 1
        unsafe WorkerPool.move(work, from: link.pointee.inactive, to: pool.works)
    }
}
