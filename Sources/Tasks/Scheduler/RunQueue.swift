// The run queue of one CPU: real-time threads by priority, before all others (RealTimeQueue.swift), and the others in
// order of virtual run time.
//
// The running thread is in neither. `minimum` never goes back; threads that come to the queue bring
// their key relative to it, so that nobody gains or loses by moving between CPUs or by sleeping.

import Machine
import Primitives
import Synchronization

/// What one CPU schedules. Made at boot, one for each possible CPU, never freed.
@unsafe struct RunQueue: ~Copyable {
    /// Interrupts off; a wait queue's lock may be held outside, another run queue's only tried inside.
    let threads: SpinLock<Threads>
    /// Somebody put a thread here that the CPU has not looked at yet.
    let wantsLook = Atomic<Bool>(false)
    /// What the CPU does, for who wants to put a thread here.
    let activity = Atomic<UInt8>(Activity.offline.rawValue)
    /// The CPU is going, or gone: only threads bound to it may be put here, and run here when it is back.
    let isLeaving = Atomic<Bool>(false)
    /// The idle loop shall switch the CPU off as soon as nothing runs there.
    let mustPark = Atomic<Bool>(false)
    /// Runnable threads, the running one included, and one more where a real-time thread has the CPU: a hint for balancing.
    let load = Atomic<UInt32>(0)
    /// Threads that went to sleep uninterruptibly here minus those woken here, for the load average;
    /// meaningful only as a sum over all CPUs.
    let uninterruptible = Atomic<Int32>(0)
    /// What real-time threads are moved by (Scheduler+RealTime.swift): the priority of the running thread, 0 if it is none of
    /// them, and the highest of those that wait. Written with the lock.
    let runningPriority = Atomic<UInt8>(0)
    let waitingPriority = Atomic<UInt8>(0)
    /// Real-time threads have had their share of this CPU until then (nanoseconds of `CycleClock`). Written with the lock.
    let throttledUntil = Atomic<UInt64>(0)
    let switches = Atomic<UInt64>(0)
    /// What /proc/schedstat shows beside it. Written with the lock.
    let statistics = QueueStatistics()
    let times = CPUTimes()
    /// What the registers of this CPU hold of user mode. Touched by this CPU only, interrupts off.
    let userState: Cell<UserState>

    enum Activity: UInt8 {
        case offline
        case busy
        /// In the idle loop and awake: will look at `wantsLook` before it halts.
        case idleAwake
        /// Halted, or about to: needs an interrupt.
        case idleHalted
    }

    init(cpu: Int) {
        unsafe threads = SpinLock(Threads())
        unsafe userState = Cell(UserState())
    }

    @unsafe struct Threads: ~Copyable {
        var tree = unsafe OrderedQueue()
        var realTime = unsafe RealTimeQueue()
        var quota = RealTimeQuota()
        /// Runnable threads, the running one included, the idle thread not.
        var count = 0
        /// Of those in the tree and of the running one, if it is not a real-time thread.
        var totalWeight: UInt64 = 0
        /// The smallest virtual run time here, as far as it ever got.
        var minimum: UInt64 = 1 << 40
        var current: ThreadStorage.Pointer? = nil
        var idle: ThreadStorage.Pointer? = nil
        /// When `current` was last charged for its time.
        var chargedAt: UInt64 = 0
        /// When `current` must make room for others; `.max` if it is alone.
        var sliceEnd: UInt64 = .max
        /// The slice end that this CPU's timer was set to last; nothing if that has passed.
        var announcedEnd: UInt64 = 0

        init() {}
    }
}

extension RunQueue.Threads {
    /// Charges the running thread for the time since the last charge.
    @inline(__always)
    mutating func charge(_ now: UInt64) {
        // The clock of another CPU may be a little behind.
        guard unsafe now > chargedAt, let current = unsafe current else { return }
        let elapsed = unsafe now &- chargedAt
        unsafe chargedAt = now
        let runtime = unsafe current.pointee.runtime.load(ordering: .relaxed)
        unsafe current.pointee.runtime.store(runtime &+ elapsed, ordering: .relaxed)
        if unsafe current.pointee.isIdle { return }
        if unsafe current.pointee.isRealTime { return unsafe chargeRealTime(current, elapsed) }
        unsafe current.pointee.node.key &+= current.pointee.weight.virtualTime(elapsed)
    }

    /// Moves `minimum` up to the smallest key there is.
    @inline(__always)
    mutating func advanceMinimum(with key: UInt64) {
        var smallest = key
        if let first = unsafe tree.first, unsafe first.pointee.key < smallest {
            unsafe smallest = first.pointee.key
        }
        if unsafe smallest > minimum { unsafe minimum = smallest }
    }

    /// Puts a thread that becomes runnable here into the order. Its key is relative.
    @inline(__always)
    mutating func add(_ storage: ThreadStorage.Pointer) {
        unsafe enter(storage)
        unsafe enqueue(storage)
    }

    /// Takes a thread on the books. Its key is relative.
    @inline(__always)
    mutating func enter(_ storage: ThreadStorage.Pointer) {
        unsafe ThreadStorage.takeOver(storage)
        unsafe storage.pointee.isQueued = true
        unsafe count += 1
        if unsafe storage.pointee.isRealTime { return }
        // A sleeper may come back at most this far ahead of the others, one that ran much stays behind.
        let relative = unsafe max(Int64(bitPattern: storage.pointee.node.key), -SchedulerLimits.sleeperLead)
        unsafe storage.pointee.node.key = minimum &+ UInt64(bitPattern: relative)
        unsafe totalWeight &+= UInt64(storage.pointee.weight.value)
    }

    /// Takes a thread that is no longer runnable here (and does not wait in the order) off the books.
    @inline(__always)
    mutating func drop(_ storage: ThreadStorage.Pointer) {
        unsafe storage.pointee.isQueued = false
        unsafe count -= 1
        if unsafe storage.pointee.isRealTime { return }
        unsafe storage.pointee.node.key &-= minimum
        unsafe totalWeight &-= UInt64(storage.pointee.weight.value)
    }

    /// Puts a thread into the order: a real-time thread behind others of its priority, or before them if it only had to
    /// make room for one with a higher one.
    @inline(__always)
    mutating func enqueue(_ storage: ThreadStorage.Pointer, before: Bool = false) {
        if unsafe storage.pointee.isRealTime { return unsafe realTime.insert(storage, before: before) }
        _ = unsafe tree.insert(ThreadStorage.node(of: storage))
    }

    @inline(__always)
    mutating func dequeue(_ storage: ThreadStorage.Pointer) {
        if unsafe storage.pointee.isRealTime { return unsafe realTime.remove(storage) }
        unsafe tree.remove(ThreadStorage.node(of: storage))
    }
}

/// The constants of the scheduler, in nanoseconds.
enum SchedulerLimits {
    /// Within this time each runnable thread gets its turn, as long as slices do not get too short.
    static let latency: UInt64 = 6_000_000
    static let shortestSlice: UInt64 = 750_000
    /// A woken thread takes the CPU away at once if it is this far ahead.
    static let wakeUpGranularity: UInt64 = 1_000_000
    static let sleeperLead: Int64 = 3_000_000
}
