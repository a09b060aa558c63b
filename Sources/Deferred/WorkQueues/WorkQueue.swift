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

/// A work queue, by reference. Trivial to copy and keep; after `destroy` it refuses works with a report.
@safe public struct WorkQueue: Equatable, @unchecked Sendable {
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

    /// Lives as long as the machine; what it needs for works is freed by `destroy`.
    let core: WorkQueueCore.Pointer

    /// Works a CPU may have of a queue at a time, if its maker does not say.
    public static let defaultMaxActive = 256
    public static let highestMaxActive = 512

    /// Makes a queue. Task context or boot; allocates. Throws `.noMemory` if it needs a rescuer and there is no memory for
    /// one.
    /// - Parameter maxActive: how many works may be in hand at a time, for each CPU or, unbound, in all; 0 for
    ///   `defaultMaxActive`. An ordered queue has 1.
    public init(_ name: StaticString, _ flags: Flags = [], maxActive: Int = 0) throws(Errno) {
        let rescuer = flags.contains(.memoryReclaim) ? Rescuer() : nil
        try rescuer?.start(name)
        unsafe core = .allocate(capacity: 1)
        unsafe core.initialize(to: WorkQueueCore(name, flags, maxActive, rescuer))
        unsafe WorkQueueCore.makeLinks(core)
        unsafe DeferredState.current.pointee.workQueues.add(self)
    }

    public static func == (a: WorkQueue, b: WorkQueue) -> Bool { unsafe a.core == b.core }

    public var name: StaticString { unsafe core.pointee.name }
    public var flags: Flags { unsafe core.pointee.flags }
    public var maxActive: Int { unsafe core.pointee.maxActive }

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
    public func queue(_ work: borrowing Work) -> Bool { unsafe WorkQueueCore.enqueue(core, work.core, nil) }

    /// Queues a work on a CPU's part of the queue; an unbound queue has no such parts. A CPU that does not exist counts as
    /// this one, with a report.
    @_noAllocation @discardableResult
    public func queue(_ work: borrowing Work, on cpu: Int) -> Bool {
        unsafe WorkQueueCore.enqueue(core, work.core, cpu)
    }

    /// Whether the caller is a work of this queue.
    var isRunningHere: Bool { unsafe WorkQueueCore.isRunningHere(core) }

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
        unsafe core.pointee.flushState.mutex.lock(task)
        defer { unsafe core.pointee.flushState.mutex.unlock() }
        unsafe core.pointee.flushState.begin()
        unsafe core.pointee.forEachLink { link, _ in
            let old = unsafe link.pointee.color
            unsafe link.pointee.color = 1 - old
            if unsafe link.pointee.inFlight[old] > 0 {
                unsafe link.pointee.flushedColor = old
                unsafe core.pointee.flushState.countUp()
            }
        }
        unsafe core.pointee.flushState.finish(task)
        return true
    }

    /// Waits until the queue is empty. Meanwhile only its own works may queue works on it.
    @discardableResult
    public func drain(_ task: borrowing TaskContext) -> Bool {
        unsafe core.pointee.drainers.wrappingAdd(1, ordering: .acquiringAndReleasing)
        defer { unsafe core.pointee.drainers.wrappingSubtract(1, ordering: .releasing) }
        repeat { if !flush(task) { return false } } while !isEmpty
        return true
    }

    private var isEmpty: Bool {
        var isEmpty = true
        unsafe core.pointee.forEachLink { link, _ in
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
        unsafe core.pointee.drainers.wrappingAdd(1, ordering: .relaxed)
        if unsafe core.pointee.isDestroyed.exchange(true, ordering: .sequentiallyConsistent) { return true }
        // What came in between.
        flush(task)
        unsafe core.pointee.rescuer?.stop(task)
        unsafe DeferredState.current.pointee.workQueues.remove(self)
        // Whoever told the last flush, or queued before it was refused, is out of the pools' locks after this.
        unsafe core.pointee.forEachLink { _, _ in }
        unsafe WorkQueueCore.freeLinks(core)
        return true
    }
}
