// A Linux task: what a thread of a user program has beside its registers. `Thread.userObject` is one.
//
// The process table owns it under its number until its end, its thread until the thread's storage is
// freed. Fields without a lock named are the task's own: only its own thread touches them.

import Primitives

public final class LinuxTask: Linkable, @unchecked Sendable {
    /// Thread number. Changes only when a thread that is not the first calls `execve` and takes over
    /// the process' number; under the process table's lock.
    public internal(set) var identifier: Int32
    public let process: Process
    private var threadLink = ObjectLink<LinuxTask>()

    /// Written by the task itself alone, with `lock`; others read them with it.
    public internal(set) var credentials: Credentials
    /// Descriptors; threads share them. Replaced by the task itself alone, with `lock`, at execve, unshare and
    /// exit; others read them with it.
    public internal(set) var files: DescriptorTable
    /// Root, working directory and umask; as `files`.
    public internal(set) var fileSystem: FileSystemContext
    /// Guards what others may read of this task: credentials, name, files.
    let lock = SpinLock(TaskName())

    /// What the real user's limits count; replaced like `credentials`.
    var account: UserAccount

    // Signals: under `process.signals`.

    /// Signals for this thread.
    var pending = SignalQueue()
    /// Written by the task itself alone, with `process.signals`; it reads it without.
    public internal(set) var blocked = SignalSet()
    /// What `rt_sigtimedwait` waits for: taken by it although blocked.
    var awaited = SignalSet()
    /// The mask to put back once a signal has been delivered (`rt_sigsuspend`, `ppoll`); the task's own.
    var savedMask: SignalSet?
    var alternateStack = AlternateStack()

    /// `set_tid_address`, CLONE_CHILD_CLEARTID: cleared and woken at the thread's end.
    var clearThreadIdentifier: UInt = 0
    /// Head of the list of held robust futexes, in user memory.
    var robustList: UInt = 0

    init(
        identifier: Int32, process: Process, credentials: Credentials, files: DescriptorTable,
        fileSystem: FileSystemContext
    ) {
        self.identifier = identifier
        self.process = process
        self.credentials = credentials
        self.files = files
        self.fileSystem = fileSystem
        account = UserAccount.find(credentials.userID)
    }

    subscript(link kind: LinkKind) -> ObjectLink<LinuxTask> {
        get { threadLink }
        set { threadLink = newValue }
    }
}

/// The stack that handlers with SA_ONSTACK run on (`sigaltstack`).
struct AlternateStack {
    var base: UInt = 0
    var size: UInt = 0
    var flags: UInt32 = Self.disabled
    static let disabled: UInt32 = 2  // SS_DISABLE
    static let onStack: UInt32 = 1  // SS_ONSTACK
    static let autoDisarm: UInt32 = 1 << 31  // SS_AUTODISARM
}

/// A thread's name (`comm`): 15 bytes and a zero.
public struct TaskName: Sendable {
    public private(set) var bytes = InlineArray<16, UInt8>(repeating: 0)
    public private(set) var count = 0

    public init() {}

    /// Cut to 15 bytes and at the first zero.
    public init(_ name: Span<UInt8>) {
        while count < 15, count < name.count, name[count] != 0 {
            bytes[count] = name[count]
            count += 1
        }
    }
}
