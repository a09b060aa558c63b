// Resource limits of a process (getrlimit(2)).

/// The limits that Linux numbers 0 ... 15 (asm-generic/resource.h).
public enum Resource: Int, Sendable {
    case cpuTime = 0  // RLIMIT_CPU, seconds
    case fileSize  // RLIMIT_FSIZE
    case data  // RLIMIT_DATA
    case stack  // RLIMIT_STACK
    case core  // RLIMIT_CORE
    case residentSet  // RLIMIT_RSS
    case processes  // RLIMIT_NPROC
    case openFiles  // RLIMIT_NOFILE
    case lockedMemory  // RLIMIT_MEMLOCK
    case addressSpace  // RLIMIT_AS
    case fileLocks  // RLIMIT_LOCKS
    case pendingSignals  // RLIMIT_SIGPENDING
    case messageQueues  // RLIMIT_MSGQUEUE
    case nice  // RLIMIT_NICE
    case realTimePriority  // RLIMIT_RTPRIO
    case realTimeTime  // RLIMIT_RTTIME
}

/// `struct rlimit64`.
public struct ResourceLimit: BitwiseCopyable, Equatable, Sendable {
    public var current: UInt64
    public var maximum: UInt64
    public init(_ current: UInt64, _ maximum: UInt64) {
        self.current = current
        self.maximum = maximum
    }
    /// RLIM_INFINITY
    public static let infinity = UInt64.max
    public static let unlimited = ResourceLimit(infinity, infinity)
}

/// All limits of a process, by value.
public struct ResourceLimits: Sendable {
    private var limits = InlineArray<16, ResourceLimit>(repeating: .unlimited)

    public subscript(resource: Resource) -> ResourceLimit {
        get { limits[resource.rawValue] }
        set { limits[resource.rawValue] = newValue }
    }

    /// What init begins with, as Linux gives it; `threads` is the largest number of threads.
    public init(threads: UInt64) {
        self[.stack] = ResourceLimit(8 << 20, ResourceLimit.infinity)
        self[.core] = ResourceLimit(0, ResourceLimit.infinity)
        self[.processes] = ResourceLimit(threads / 2, threads / 2)
        self[.pendingSignals] = ResourceLimit(threads / 2, threads / 2)
        self[.openFiles] = ResourceLimit(1024, 4096)
        self[.lockedMemory] = ResourceLimit(8 << 20, 8 << 20)
        self[.messageQueues] = ResourceLimit(819_200, 819_200)
        self[.nice] = ResourceLimit(0, 0)
        self[.realTimePriority] = ResourceLimit(0, 0)
    }
}
