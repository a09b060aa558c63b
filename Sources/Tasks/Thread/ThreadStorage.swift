// What the kernel knows of one thread. Type-stable: the memory of a thread that ended is used for other
// threads only, so that a stale handle reads a living thread's words at worst, and its number tells.
//
// Who may touch what:
//   atomics            anybody
//   "queue"            under the lock of the run queue of CPU `cpu`, or by the waker that owns the thread
//   "own"              the thread itself; or its creator before the first start, its reaper after its end

import CMachine
import Machine
import Memory
import Primitives
import Synchronization

@unsafe struct ThreadStorage: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<ThreadStorage>

    // The first two words are read by the entry path (thread_head.h).
    let flags = Atomic<UInt32>(0)
    let state = Atomic<UInt32>(ThreadState.dead.rawValue)

    /// Place in the run queue of a thread that is not a real-time thread, keyed by virtual run time. Off the queues the key is relative to the
    /// queue's minimum. Queue.
    var node = unsafe OrderedNode()
    /// Number of the thread that lives here now; 0 in free storage.
    let identifier = Atomic<UInt64>(0)
    /// CPU whose queue the thread is in, or ran on last. Written under the queue lock or by the owning waker.
    let cpu = Atomic<UInt32>(0)
    /// Its registers are on some CPU: it runs, or its switch is not over.
    let onCPU = Atomic<Bool>(false)
    /// Runnable as its run queue counts it (queued or running). Queue.
    var isQueued = false
    /// The queue counts it as the CPU's idle thread. Own.
    var isIdle = false
    /// What was last asked for (SchedulingWord.swift).
    let wantedScheduling = Atomic<UInt32>(SchedulingWord().bits)
    /// What the run queue goes by: the same, and what follows from it. Queue; so are the next.
    var scheduling = SchedulingWord()
    var schedulingClass = SchedulingClass.normal
    /// 1 ... 99 for real-time classes, 0 for others.
    var priority: UInt8 = 0
    var nice: Int8 = 0
    var weight = Weight.normal
    /// What a round-robin thread has had of its turn, in nanoseconds.
    var turnUsed: UInt64 = 0
    /// A real-time thread that runs goes behind the others of its priority at the next choice.
    var goesBehind = false
    /// Place in the run queue of a real-time thread.
    var nextOfPriority: Pointer? = nil
    var previousOfPriority: Pointer? = nil
    let affinity = AtomicCPUMask(CPUMask.all)
    /// Was taken off its queue since it may not run there; queued elsewhere once it is off the CPU. Own.
    var mustMove = false
    /// It waits since it was woken; false once it has had the CPU. Whoever owns it, then the queue lock.
    var wasWoken = false

    /// The worker of a work queue that this thread is; 0 for others. Own.
    var worker: UInt = 0

    /// Where its stack is left. Own.
    var context = unsafe ThreadContext()
    /// Top of its kernel stack, 0 for a CPU's first thread. Own.
    var stackTop: UInt = 0
    var stack: KernelStackHandle? = nil
    /// Whether it has user mode: floating point, segment bases, an address space. Own.
    var isUser = false
    /// Floating-point image; kept with the storage. Own.
    var fpuImage: UnsafeMutableRawPointer? = nil
    /// CPU whose registers hold the image, as far as `UserState` of that CPU says so too. Own.
    var fpuCPU: UInt32 = .max
    var bases = SegmentBases()
    /// Holds a reference. Own.
    var addressSpace: Unmanaged<AddressSpace>? = nil
    /// Flag `notifyResume` is set whenever the thread gets a CPU. Own.
    var noticesSwitches = false

    /// Own; holds a reference to the Linux task, so that the thread itself need not count its own.
    private(set) var userObject: Unmanaged<AnyObject>? = nil
    /// What it runs first. Own.
    var start: ((borrowing TaskContext) -> Void)? = nil
    var name = ThreadName("")

    /// When it became runnable or had to make room, in cycles. Whoever owns it, then the queue lock.
    var waitsSince: UInt64 = 0
    /// Cycles it waited so, and how often it got a CPU. Written under the queue lock.
    let delay = Atomic<UInt64>(0)
    let turns = Atomic<UInt64>(0)
    /// Nanoseconds it ran, all in all. Written under the queue lock.
    let runtime = Atomic<UInt64>(0)
    /// Cycles in user mode, without those since it last got a CPU. Own.
    let userCycles = Atomic<UInt64>(0)
    /// Switches away because it slept, and because others wanted the CPU. Own.
    let voluntarySwitches = Atomic<UInt64>(0)
    let involuntarySwitches = Atomic<UInt64>(0)

    /// Links free storage. Pool lock.
    var nextFree: Pointer? = nil

    init() {}

    /// Lets go of the object there was.
    mutating func setUserObject(_ object: AnyObject?) {
        let old = unsafe userObject
        unsafe userObject = object.map { unsafe Unmanaged.passRetained($0) }
        unsafe old?.release()
    }

    /// Exactly the real-time classes have priorities.
    @inline(__always)
    var isRealTime: Bool { unsafe priority != 0 }
}

/// How a thread shares its CPU (sched(7)).
public enum SchedulingClass: UInt8, Sendable {
    case normal = 0
    case fifo = 1
    case roundRobin = 2
    case batch = 3
    case idle = 5

    /// Before all others, by priority.
    public var isRealTime: Bool { self == .fifo || self == .roundRobin }
}
