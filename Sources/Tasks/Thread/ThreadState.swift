// The words of a thread's state and flags.

/// What a thread does. Bits, so that a waker can name several kinds of sleepers.
public struct ThreadState: Equatable, Sendable {
    public let rawValue: UInt32
    @inline(__always) public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inline(__always)
    public func contains(_ other: ThreadState) -> Bool { rawValue & other.rawValue != 0 }

    @inline(__always)
    public static func | (a: ThreadState, b: ThreadState) -> ThreadState {
        ThreadState(rawValue: a.rawValue | b.rawValue)
    }

    /// Runs or is queued to run (`R`).
    public static let running = ThreadState(rawValue: 0)
    /// Sleeps until woken or signalled (`S`).
    public static let interruptible = ThreadState(rawValue: 1)
    /// Sleeps until woken (`D`).
    public static let uninterruptible = ThreadState(rawValue: 2)
    /// Sleeps until woken or killed (`D`).
    public static let killable = ThreadState(rawValue: 4)
    /// Stopped by job control (`T`); woken only by name.
    public static let stopped = ThreadState(rawValue: 8)
    /// Stopped by its tracer (`t`); woken only by name.
    public static let traced = ThreadState(rawValue: 16)
    /// Created, not yet started.
    public static let new = ThreadState(rawValue: 32)
    /// Has ended; its storage is about to be used again.
    public static let dead = ThreadState(rawValue: 64)
    /// A kernel thread that waits for work (`I`): woken like the others, deaf to signals, no load.
    public static let resting = ThreadState(rawValue: 128)
    /// Off the run queue: `schedule` has committed the sleep.
    static let blocked = ThreadState(rawValue: 1 << 16)

    /// What an ordinary wake-up wakes.
    public static let sleeping = ThreadState(rawValue: 1 | 2 | 4 | 128)

    /// The letter that `/proc/PID/stat` shows (proc(5)).
    public var letter: UInt8 {
        if contains(.dead) { return UInt8(ascii: "X") }
        if contains(.stopped) { return UInt8(ascii: "T") }
        if contains(.traced) { return UInt8(ascii: "t") }
        if contains(.resting) { return UInt8(ascii: "I") }
        if contains(.uninterruptible) || contains(.killable) { return UInt8(ascii: "D") }
        if contains(.interruptible) { return UInt8(ascii: "S") }
        return UInt8(ascii: "R")
    }
}

/// Bits that the entry path looks at before it returns to user mode (thread_head.h).
public struct ThreadFlags: Equatable, Sendable {
    public let rawValue: UInt32
    @inline(__always) public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inline(__always)
    public func contains(_ other: ThreadFlags) -> Bool { rawValue & other.rawValue != 0 }

    @inline(__always)
    public static func | (a: ThreadFlags, b: ThreadFlags) -> ThreadFlags {
        ThreadFlags(rawValue: a.rawValue | b.rawValue)
    }

    /// A signal is to be handled; ends interruptible sleep.
    public static let signalPending = ThreadFlags(rawValue: 1 << 0)
    /// Other work before the return to user mode.
    public static let notifyResume = ThreadFlags(rawValue: 1 << 1)
    /// A deadly signal is pending: ends killable sleep too.
    public static let fatalSignalPending = ThreadFlags(rawValue: 1 << 2)
    /// Both.
    public static let anySignal = ThreadFlags(rawValue: signalPending.rawValue | fatalSignalPending.rawValue)
    /// The tracer wants to see system calls.
    public static let syscallTrace = ThreadFlags(rawValue: 1 << 3)
    /// The system call has replaced the registers of user mode.
    public static let registersReplaced = ThreadFlags(rawValue: 1 << 4)
}
