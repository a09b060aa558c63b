// Work queues: what may sleep and is to be done later, by threads that all queues share.
//
// Top half → `queue(work)` → the work goes to the list of a pool of workers (WorkerPool.swift): that of this CPU, or one
// that is bound to no CPU → a worker takes it and calls its function with a task token.
//
// Order: works of one queue begin in the order in which they were queued on a CPU. They run one after the other only if
// the queue is `ordered`; else as many at a time as `maxActive` allows and works that sleep make possible.

import Machine
import Primitives
import Synchronization
import Tasks

@safe public final class WorkQueue: @unchecked Sendable {
    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// Works run on any CPU, at once, and do not wait for each other.
        public static let unbound = Flags(rawValue: 1)
        /// By workers of nice value -20.
        public static let highPriority = Flags(rawValue: 2)
        /// Works may compute for long: they do not keep other works of the CPU waiting.
        public static let cpuIntensive = Flags(rawValue: 4)
        /// One at a time, in the order of queueing. Implies `unbound`.
        public static let ordered = Flags(rawValue: 8)
        /// Needed to free memory: has a thread of its own for when no worker can be made.
        public static let memoryReclaim = Flags(rawValue: 16)
        /// Bound, or unbound where power counts more (`workqueue.power_efficient` on the command line).
        public static let powerEfficient = Flags(rawValue: 32)
    }

    public let name: StaticString
    public let flags: Flags
    public let maxActive: Int
    /// One for each CPU, or one. Freed in `deinit`.
    private let links: UnsafeMutablePointer<PoolWorkQueue>
    private let linkCount: Int

    let flushState = FlushState()
    let rescue: Rescuer?
    /// `drain`s under way, and whether the queue has come to its end.
    private let drainers = Atomic<Int>(0)
    private let isDestroyed = Atomic<Bool>(false)

    /// Works a CPU may have of a queue at a time, if its maker does not say.
    public static let defaultMaxActive = 256
    public static let highestMaxActive = 512

    /// Makes a queue. Task context or boot; allocates. Throws `.noMemory` if it needs a rescuer and there is no memory for
    /// one.
    /// - Parameter maxActive: how many works may be in hand at a time, for each CPU or, unbound, in all; 0 for
    ///   `defaultMaxActive`. An ordered queue has 1.
    public convenience init(_ name: StaticString, _ flags: Flags = [], maxActive: Int = 0) throws(Errno) {
        self.init(name, flags, maxActive, rescuer: flags.contains(.memoryReclaim) ? Rescuer() : nil)
        try rescue?.start(name)
        unsafe DeferredState.current.pointee.workQueues.add(self)
    }

    private init(_ name: StaticString, _ flags: Flags, _ maxActive: Int, rescuer: Rescuer?) {
        var flags = flags
        if flags.contains(.ordered) { flags.insert(.unbound) }
        if flags.contains(.powerEfficient), unsafe DeferredHooks.savesPower { flags.insert(.unbound) }
        self.name = name
        self.flags = flags
        rescue = rescuer
        let wanted = maxActive == 0 ? Self.defaultMaxActive : min(max(maxActive, 1), Self.highestMaxActive)
        let limit = flags.contains(.ordered) ? 1 : wanted
        self.maxActive = limit
        let pools = unsafe DeferredState.current.pointee.pools
        let isHigh = flags.contains(.highPriority)
        let count = flags.contains(.unbound) ? 1 : unsafe pools.cpuCount
        linkCount = count
        unsafe links = .allocate(capacity: count)
        for index in 0..<count {
            let pool = unsafe flags.contains(.unbound) ? pools.unbound(isHigh) : pools.bound(index, isHigh)
            unsafe (links + index).initialize(to: PoolWorkQueue(self, pool, maxActive: limit))
        }
    }

    deinit {
        for index in 0..<linkCount { unsafe links[index].inactive.free() }
        unsafe links.deinitialize(count: linkCount)
        unsafe links.deallocate()
    }

    // MARK: The kernel's own queues

    /// For short works.
    @inline(__always)
    public static var events: WorkQueue { unsafe DeferredState.current.pointee.workQueues.predefined.events }
    /// The same before others.
    public static var highPriority: WorkQueue {
        unsafe DeferredState.current.pointee.workQueues.predefined.highPriority
    }
    /// For works that take long; flushing it may, too.
    public static var long: WorkQueue { unsafe DeferredState.current.pointee.workQueues.predefined.long }
    /// For works that need not run where they were queued.
    public static var unbound: WorkQueue {
        unsafe DeferredState.current.pointee.workQueues.predefined.unbound
    }
    /// Where power counts, unbound.
    public static var powerEfficient: WorkQueue {
        unsafe DeferredState.current.pointee.workQueues.predefined.powerEfficient
    }

    // MARK: Queueing

    /// Queues a work on this CPU. Any context but NMI; does not allocate.
    /// - Returns: false if it waits already, here or elsewhere, or the queue takes no more (which is reported).
    @_noAllocation @discardableResult @inline(__always)
    public func queue(_ work: borrowing Work) -> Bool { unsafe enqueue(work.core, nil) }

    /// Queues a work on a CPU's part of the queue; an unbound queue has no such parts. A CPU that does not exist counts as
    /// this one, with a report.
    @_noAllocation @discardableResult
    public func queue(_ work: borrowing Work, on cpu: Int) -> Bool { unsafe enqueue(work.core, cpu) }

    @inline(never)
    func enqueue(_ work: WorkCore.Pointer, _ cpu: Int?) -> Bool {
        // Interrupts are off from the claim on, so that a canceller on this CPU does not wait for what it interrupted.
        withInterruptsOff { _ in
            guard unsafe work.pointee.claim() else { return false }
            guard unsafe takes(work) else {
                _ = unsafe work.pointee.state.bitwiseAnd(~WorkCore.pending, ordering: .releasing)
                return false
            }
            unsafe insert(work, link(cpu))
            return true
        }
    }

    private func link(_ cpu: Int?) -> PoolWorkQueue.Pointer {
        if linkCount == 1 { return unsafe links }
        let wanted = cpu ?? CPU.index
        if wanted >= 0, wanted < linkCount { return unsafe links + wanted }
        printk(.error, "workqueue \(name): there is no CPU \(wanted)")
        return unsafe links + CPU.index
    }

    /// Puts a claimed work where it belongs. Interrupts are off.
    @inline(__always)
    private func insert(_ work: WorkCore.Pointer, _ link: PoolWorkQueue.Pointer) {
        let now = CycleClock.now
        let pool = unsafe link.pointee.pool
        let last = unsafe Int(work.pointee.pool.load(ordering: .relaxed))
        if last >= 0, unsafe last != pool.pointee.number, unsafe insertWhereItRuns(work, last, now) { return }
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            unsafe PoolWorkQueue.insert(link, work, &state, now: now)
            unsafe WorkerPool.wakeIfNeeded(&state)
        }
    }

    /// A work that another pool is running for this queue goes there, so that it does not run twice at once.
    @inline(never)
    private func insertWhereItRuns(_ work: WorkCore.Pointer, _ last: Int, _ now: UInt64) -> Bool {
        let pool = unsafe DeferredState.current.pointee.pools.pool(last)
        return unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            guard let worker = unsafe WorkerPool.worker(running: work, &state),
                let link = unsafe worker.pointee.link,
                unsafe link.pointee.pool == pool, unsafe owns(link)
            else { return false }
            unsafe PoolWorkQueue.insert(link, work, &state, now: now)
            unsafe WorkerPool.wakeIfNeeded(&state)
            return true
        }
    }

    func owns(_ link: PoolWorkQueue.Pointer) -> Bool { unsafe link >= links && link < links + linkCount }

    /// Whether the queue takes a work now: while it drains, only from its own works.
    @inline(__always)
    private func takes(_ work: WorkCore.Pointer) -> Bool {
        if drainers.load(ordering: .relaxed) == 0 { return true }
        return unsafe takesWhileDraining(work)
    }

    @inline(never)
    private func takesWhileDraining(_ work: WorkCore.Pointer) -> Bool {
        if !isDestroyed.load(ordering: .relaxed), isRunningHere { return true }
        let workName = unsafe work.pointee.name
        let why: StaticString = isDestroyed.load(ordering: .relaxed) ? "was destroyed" : "is being drained"
        printk(.error, "workqueue \(name) \(why): \(workName) was not queued")
        return false
    }

    /// Whether the caller is a work of this queue.
    var isRunningHere: Bool {
        guard let worker = unsafe Worker.current, let link = unsafe worker.pointee.link else { return false }
        return unsafe owns(link)
    }

    // MARK: Waiting and ending

    /// Waits until all works that were queued before have been run.
    /// - Returns: false if the caller is a work of this queue, which would wait for itself (reported).
    @discardableResult
    public func flush(_ task: borrowing TaskContext) -> Bool {
        if isRunningHere {
            let workName = unsafe Worker.current?.pointee.name ?? ""
            printk(.error, "workqueue \(name): flushed by its own work \(workName)")
            return false
        }
        flushState.mutex.lock(task)
        defer { flushState.mutex.unlock() }
        flushState.begin()
        unsafe forEachLink { link, _ in
            let old = unsafe link.pointee.color
            unsafe link.pointee.color = 1 - old
            if unsafe link.pointee.inFlight[old] > 0 {
                unsafe link.pointee.flushedColor = old
                flushState.countUp()
            }
        }
        flushState.finish(task)
        return true
    }

    /// Waits until the queue is empty. Meanwhile only its own works may queue works on it.
    @discardableResult
    public func drain(_ task: borrowing TaskContext) -> Bool {
        drainers.wrappingAdd(1, ordering: .acquiringAndReleasing)
        defer { drainers.wrappingSubtract(1, ordering: .releasing) }
        repeat { if !flush(task) { return false } } while !isEmpty
        return true
    }

    private var isEmpty: Bool {
        var isEmpty = true
        unsafe forEachLink { link, _ in
            if unsafe link.pointee.inFlight[0] + link.pointee.inFlight[1] > 0 { isEmpty = false }
        }
        return isEmpty
    }

    /// Drains the queue and ends it: what is queued from now on (by a timer of a delayed work, say) is refused and
    /// reported.
    /// - Returns: false if the caller is a work of this queue: then nothing happens but a report.
    @discardableResult
    public func destroy(_ task: borrowing TaskContext) -> Bool {
        guard drain(task) else { return false }
        drainers.wrappingAdd(1, ordering: .relaxed)
        isDestroyed.store(true, ordering: .sequentiallyConsistent)
        // What came in between.
        flush(task)
        rescue?.stop(task)
        unsafe DeferredState.current.pointee.workQueues.remove(self)
        // Whoever told the last flush is out of the pools' locks after this.
        unsafe forEachLink { _, _ in }
        return true
    }

    /// Calls `body` for each pool's part, under the pool's lock.
    func forEachLink(_ body: (PoolWorkQueue.Pointer, inout WorkerPool.State) -> Void) {
        for index in 0..<linkCount {
            let link = unsafe links + index
            unsafe link.pointee.pool.pointee.state.withLockInterruptsOff { state, _ in
                unsafe body(link, &state)
            }
        }
    }
}
