// A Linux task: what a thread of a user program has beside its registers. `Thread.userObject` is one.
//
// The process table owns it under its number until its end, its thread until the thread's storage is
// freed. Fields without a lock named are the task's own: only its own thread touches them.

import Machine
import Primitives
import Tasks
import Time

@safe public final class LinuxTask: Linkable, @unchecked Sendable {
    /// Thread number. Changes only when a thread that is not the first calls `execve` and takes over
    /// the process' number; under the process table's lock.
    public internal(set) var identifier: Int32
    public let process: Process
    /// The thread that runs it. Set before anybody else knows the task.
    public internal(set) var thread = Thread.current
    /// When it began, in nanoseconds since boot.
    let startTime = Clock.monotonic
    private var threadLink = ObjectLink<LinuxTask>()

    // MARK: What others may read, with `lock`; the task itself reads without.

    /// Task context, short sections.
    let lock = SpinLock(())
    /// Written by the task itself alone, with `lock`; others read them with it.
    public internal(set) var credentials: Credentials
    /// What the real user's limits count; replaced like `credentials`. Accounts live for ever.
    private(set) var accountReference: Unmanaged<UserAccount>
    /// Descriptors; threads share them. Replaced by the task itself alone, with `lock`, at execve, unshare and
    /// exit; others read them with it.
    public internal(set) var files: DescriptorTable {
        get { unsafe filesReference.takeUnretainedValue() }
        set {
            let old = unsafe filesReference
            unsafe filesReference = Unmanaged.passRetained(newValue)
            unsafe old.release()
        }
    }
    /// Holds a reference.
    private var filesReference: Unmanaged<DescriptorTable>
    /// Root, working directory and umask; as `files`.
    public internal(set) var fileSystem: FileSystemContext

    // MARK: Signals: under `process.signals`.

    /// Signals for this thread.
    var pending = SignalQueue()
    /// Written by the task itself alone, with `process.signals`; it reads it without.
    public internal(set) var blocked = SignalSet()
    /// What `rt_sigtimedwait` waits for: taken by it although blocked.
    var awaited = SignalSet()
    /// For RLIMIT_RTTIME.
    var realTimeMark = RealTimeMark()
    /// The thread is to end although the process may go on: `exit`, or another thread's `execve`.
    var isEnding = false
    /// Wait status that goes with it.
    var endStatus: Int32 = 0

    // MARK: The task's own.

    /// The mask to put back once a signal has been delivered (`rt_sigsuspend`, `ppoll`).
    var savedMask: SignalSet?
    var alternateStack = AlternateStack()
    /// What a handler's frame says about the last exception.
    var lastFault = FaultRecord()
    /// The signal that is being delivered.
    var taken = TakenSignal()
    /// How a call that a signal interrupted goes on.
    var restart = RestartBlock.none
    /// The system call came through `int $0x80`.
    var isCompatibleCall = false
    /// `set_tid_address`, CLONE_CHILD_CLEARTID: cleared and woken at the thread's end.
    var clearThreadIdentifier: UInt = 0
    /// CLONE_CHILD_SETTID: where the thread's number is stored before its first instruction.
    var storeIdentifierAt: UInt = 0
    /// Head of the list of held robust futexes, in user memory.
    var robustList: UInt = 0
    var rseq = RestartableSequence()
    /// The parent that waits in vfork for this task.
    var forkGate: ForkGate?
    var timerSlack = LinuxTask.defaultTimerSlack
    /// `PR_SET_NO_NEW_PRIVS`
    var noNewPrivileges = false
    var personality: UInt32 = 0
    /// What `sched_setscheduler` set; read by others, a word at a time.
    var scheduling = SchedulingPolicy()

    /// Nanoseconds.
    static let defaultTimerSlack: UInt64 = 50_000

    /// - Parameter parent: whose credentials these are, if it is a task's child.
    init(
        identifier: Int32, process: Process, credentials: Credentials, files: DescriptorTable,
        fileSystem: FileSystemContext, parent: LinuxTask? = nil
    ) {
        self.identifier = identifier
        self.process = process
        self.credentials = credentials
        unsafe filesReference = Unmanaged.passRetained(files)
        self.fileSystem = fileSystem
        unsafe accountReference =
            parent?.accountReference ?? Unmanaged.passUnretained(UserAccount.find(credentials.userID))
    }

    deinit { unsafe filesReference.release() }

    /// The file of a descriptor of the running task, whose table is not counted for it.
    @inline(__always)
    static func file(_ descriptor: Int32) throws(Errno) -> File {
        // The task replaces its table only itself.
        let file = withCurrent { task in
            unsafe task.filesReference._withUnsafeGuaranteedRef { $0.find(descriptor) }
        }
        guard let file else { throw .badFileDescriptor }
        return file
    }

    var account: UserAccount {
        get { unsafe accountReference.takeUnretainedValue() }
        set { unsafe accountReference = Unmanaged.passUnretained(newValue) }
    }

    subscript(link kind: LinkKind) -> ObjectLink<LinuxTask> {
        get { threadLink }
        set { threadLink = newValue }
    }
}

/// What the processor said about an exception (`struct sigcontext`: err, trapno, cr2).
struct FaultRecord {
    var trap: UInt = 0
    var error: UInt = 0
    var address: UInt = 0
}
