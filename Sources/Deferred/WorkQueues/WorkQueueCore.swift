// What a work queue consists of, and how a work gets into it.

import Machine
import Primitives
import Synchronization
import Tasks

@unsafe struct WorkQueueCore: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<WorkQueueCore>

    let name: StaticString
    let flags: WorkQueue.Flags
    let maxActive: Int
    /// Its parts: one for each CPU, or one. None after its end.
    private var links: PoolWorkQueue.Pointer? = nil
    private var linkCount = 0
    let flushState = FlushState()
    let rescuer: Rescuer?
    /// `drain`s under way, and one for ever after the end.
    let drainers = Atomic<Int>(0)
    let isDestroyed = Atomic<Bool>(false)

    init(_ name: StaticString, _ flags: WorkQueue.Flags, _ maxActive: Int, _ rescuer: Rescuer?) {
        var flags = flags
        if flags.contains(.ordered) { flags.insert(.unbound) }
        if flags.contains(.powerEfficient), unsafe DeferredHooks.savesPower { flags.insert(.unbound) }
        unsafe self.name = name
        unsafe self.flags = flags
        unsafe self.rescuer = rescuer
        let wanted =
            maxActive == 0 ? WorkQueue.defaultMaxActive : min(max(maxActive, 1), WorkQueue.highestMaxActive)
        unsafe self.maxActive = flags.contains(.ordered) ? 1 : wanted
    }

    /// Makes the parts. Once, before others know the queue.
    static func makeLinks(_ core: Pointer) {
        let pools = unsafe DeferredState.current.pointee.pools
        let isUnbound = unsafe core.pointee.flags.contains(.unbound)
        let isHigh = unsafe core.pointee.flags.contains(.highPriority)
        let count = unsafe isUnbound ? 1 : pools.cpuCount
        let links = PoolWorkQueue.Pointer.allocate(capacity: count)
        for index in 0..<count {
            let pool = unsafe isUnbound ? pools.unbound(isHigh) : pools.bound(index, isHigh)
            // Inside the allocation.
            unsafe (links + index).initialize(
                to: PoolWorkQueue(core, pool, maxActive: core.pointee.maxActive))
        }
        unsafe core.pointee.links = links
        unsafe core.pointee.linkCount = count
    }

    /// The end: nothing waits and nobody queues any more.
    static func freeLinks(_ core: Pointer) {
        guard let links = unsafe core.pointee.links else { return }
        let count = unsafe core.pointee.linkCount
        unsafe core.pointee.links = nil
        unsafe core.pointee.linkCount = 0
        for index in 0..<count { unsafe links[index].inactive.free() }
        unsafe links.deinitialize(count: count)
        unsafe links.deallocate()
    }

    /// Calls `body` for each part, under its pool's lock.
    borrowing func forEachLink(_ body: (PoolWorkQueue.Pointer, inout WorkerPool.State) -> Void) {
        guard let links = unsafe links else { return }
        for index in unsafe 0..<linkCount {
            let link = unsafe links + index
            unsafe link.pointee.pool.pointee.state.withLockInterruptsOff { state, _ in
                unsafe body(link, &state)
            }
        }
    }

    // MARK: Queueing

    @inline(never)
    static func enqueue(_ core: Pointer, _ work: WorkCore.Pointer, _ cpu: Int?) -> Bool {
        // Interrupts are off from the claim on, so that a canceller on this CPU does not wait for what it interrupted.
        withInterruptsOff { off in
            guard unsafe work.pointee.claim() else { return false }
            return unsafe enqueueClaimed(core, work, cpu, off)
        }
    }

    /// Queues a work that the caller has claimed; gives the claim back where it cannot. Interrupts are off.
    @inline(__always)
    static func enqueueClaimed(
        _ core: Pointer, _ work: WorkCore.Pointer, _ cpu: Int?, _ off: borrowing InterruptsOff
    ) -> Bool {
        guard unsafe takes(core, work), let link = unsafe link(core, cpu) else {
            _ = unsafe work.pointee.state.bitwiseAnd(~WorkCore.pending, ordering: .releasing)
            return false
        }
        unsafe insert(work, link, off)
        return true
    }

    @inline(__always)
    private static func link(_ core: Pointer, _ cpu: Int?) -> PoolWorkQueue.Pointer? {
        guard let links = unsafe core.pointee.links else { return nil }
        let count = unsafe core.pointee.linkCount
        if count == 1 { return unsafe links }
        let wanted = cpu ?? CPU.index
        if wanted >= 0, wanted < count { return unsafe links + wanted }
        unsafe reportNoCPU(core, wanted)
        return unsafe links + CPU.index
    }

    @_semantics("no_performance_analysis") @inline(never)
    private static func reportNoCPU(_ core: Pointer, _ cpu: Int) {
        let name = unsafe core.pointee.name
        printk(.error, "workqueue \(name): there is no CPU \(cpu)")
    }

    /// Puts a claimed work where it belongs.
    @inline(__always)
    private static func insert(
        _ work: WorkCore.Pointer, _ link: PoolWorkQueue.Pointer, _ off: borrowing InterruptsOff
    ) {
        let now = CycleClock.cycles
        let pool = unsafe link.pointee.pool
        let last = unsafe Int(work.pointee.pool.load(ordering: .relaxed))
        if unsafe last != pool.pointee.number, last >= 0 {
            if unsafe insertWhereItRuns(work, link, last, now) { return }
        }
        unsafe pool.pointee.state.withLock(off) { state in
            unsafe PoolWorkQueue.insert(link, work, &state, now: now)
            unsafe WorkerPool.wakeIfNeeded(&state)
        }
    }

    /// A work that another pool is running for this queue goes there, so that it does not run twice at once.
    @inline(never)
    private static func insertWhereItRuns(
        _ work: WorkCore.Pointer, _ link: PoolWorkQueue.Pointer, _ last: Int, _ now: UInt64
    ) -> Bool {
        let pool = unsafe DeferredState.current.pointee.pools.pool(last)
        return unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            guard let worker = unsafe WorkerPool.worker(running: work, in: pool),
                let other = unsafe worker.pointee.link, unsafe other.pointee.pool == pool,
                unsafe other.pointee.queue == link.pointee.queue
            else { return false }
            unsafe PoolWorkQueue.insert(other, work, &state, now: now)
            unsafe WorkerPool.wakeIfNeeded(&state)
            return true
        }
    }

    /// Whether the queue takes a work now: while it drains, only from its own works.
    @inline(__always)
    private static func takes(_ core: Pointer, _ work: WorkCore.Pointer) -> Bool {
        if unsafe core.pointee.drainers.load(ordering: .relaxed) == 0 { return true }
        return unsafe takesWhileDraining(core, work)
    }

    @_semantics("no_performance_analysis") @inline(never)
    private static func takesWhileDraining(_ core: Pointer, _ work: WorkCore.Pointer) -> Bool {
        let isDestroyed = unsafe core.pointee.isDestroyed.load(ordering: .relaxed)
        if !isDestroyed, unsafe isRunningHere(core) { return true }
        let name = unsafe core.pointee.name
        let workName = unsafe work.pointee.name
        let why: StaticString = isDestroyed ? "was destroyed" : "is being drained"
        printk(.error, "workqueue \(name) \(why): \(workName) was not queued")
        return false
    }

    /// Whether the caller is a work of this queue.
    static func isRunningHere(_ core: Pointer) -> Bool {
        guard let worker = unsafe Worker.current, let link = unsafe worker.pointee.link else { return false }
        return unsafe link.pointee.queue == core
    }
}
