// A process: a thread group, with what its threads share.
//
// Its number is that of its first thread. It exists from `fork` until its parent (or the kernel, where
// nobody waits) has taken its exit status; see `ProcessTable` for who owns whom.

import Memory
import Primitives
import Synchronization
import Tasks
import Time

@safe public final class Process: Linkable, @unchecked Sendable {
    /// Process number (thread group's).
    public let identifier: Int32

    // MARK: Family tree: under the process table's lock.

    /// Nil for init and what has been reaped. Not owned: the end of a parent hands its children on first.
    private var parentReference: Unmanaged<Process>?
    var children = ObjectList<Process>(.sibling)
    private var siblingLink = ObjectLink<Process>()
    private var groupLink = ObjectLink<Process>()
    /// Changed by setpgid and setsid.
    var groupUnderLock: ProcessGroup
    /// Where the process is in its life.
    var life = Life.running
    /// Orphaned descendants come to this process (`PR_SET_CHILD_SUBREAPER`).
    var isSubreaper = false
    /// Has called `execve`: its parent cannot move it to another group any more.
    var hasExecuted = false
    /// Signal for the parent at its end, 0 for none.
    var exitSignal: UInt8 = Signal.child.number
    /// Wait status once it is a zombie.
    var exitStatus: Int32 = 0
    /// The thread that made it, for `__WNOTHREAD` and the next field; 0 when that is gone.
    var parentThread: UInt64 = 0
    /// Signal for this process when that thread ends, 0 for none (`PR_SET_PDEATHSIG`).
    var parentDeathSignal: UInt8 = 0
    /// A child has asked for that.
    var hasDeathSignals = false
    /// Of children that were waited for, and of theirs.
    var childTimes = CPUUsage()

    // MARK: Signals and threads.

    /// Signals for the process as a whole, its threads, stops; interrupts off.
    let signals: SpinLock<ProcessSignals>
    /// Replaced by the process itself alone, with `signals` held; others read it with `signals` held. Holds a reference.
    private var actionsReference: Unmanaged<SignalActions>
    /// Where `wait` sleeps.
    let childEvents = WaitQueue()
    /// Where `execve` waits for the other threads to end.
    let threadsEnded = WaitQueue()

    // MARK: Resources.

    /// Task context, short sections.
    public let limits: SpinLock<ResourceLimits>
    /// What `/proc` shows and `execve` sets. Task context, short sections.
    public let image = SpinLock(ProcessImage())
    /// Nil once all threads have ended. Task context, short sections.
    let memory: SpinLock<AddressSpace?>
    /// The address space may be another process's too (vfork, CLONE_VM).
    var sharesAddressSpace = false
    /// Descriptors may be another process's too (CLONE_FILES).
    var sharesFiles = false
    /// `PR_SET_DUMPABLE`
    var isDumpable = true
    /// The real user, for who learns of this process by SIGCHLD.
    var userIdentifier: UInt32 = 0
    let timers = ProcessTimers()
    /// What `membarrier` was registered for.
    let barrierRegistrations = Atomic<UInt32>(0)

    /// When it began, in nanoseconds since boot.
    let startTime = Clock.monotonic
    /// How much likelier than its size says, in thousandths of the memory, it ends when memory is short
    /// (`/proc/PID/oom_score_adj`). A word.
    var oomScoreAdjustment = 0

    enum Life { case running, zombie, reaped }

    init(
        identifier: Int32, group: ProcessGroup, actions: SignalActions, limits: ResourceLimits,
        addressSpace: AddressSpace?
    ) {
        self.identifier = identifier
        groupUnderLock = group
        unsafe actionsReference = Unmanaged.passRetained(actions)
        signals = SpinLock(ProcessSignals())
        self.limits = SpinLock(limits)
        memory = SpinLock(addressSpace)
        unsafe parentReference = nil
    }

    /// Under the process table's lock.
    var parent: Process? {
        // The link is cleared before the parent goes.
        get { unsafe parentReference?.takeUnretainedValue() }
        set { unsafe parentReference = newValue.map { unsafe Unmanaged.passUnretained($0) } }
    }

    deinit { unsafe actionsReference.release() }

    /// See `actionsReference`.
    var actions: SignalActions {
        get { unsafe actionsReference.takeUnretainedValue() }
        set {
            let old = unsafe actionsReference
            unsafe actionsReference = Unmanaged.passRetained(newValue)
            unsafe old.release()
        }
    }

    /// What is to be done on a signal. By the process itself, or with `signals` held.
    @inline(__always)
    func action(on signal: Signal, _ off: borrowing InterruptsOff) -> SignalAction {
        unsafe actionsReference._withUnsafeGuaranteedRef { $0.action(on: signal, off) }
    }

    /// The same for a signal about to be taken.
    @inline(__always)
    func takeAction(on signal: Signal, _ off: borrowing InterruptsOff) -> SignalAction {
        unsafe actionsReference._withUnsafeGuaranteedRef { $0.take(signal, off) }
    }

    subscript(link kind: LinkKind) -> ObjectLink<Process> {
        get { kind == .sibling ? siblingLink : groupLink }
        set { if kind == .sibling { siblingLink = newValue } else { groupLink = newValue } }
    }

    /// Under the process table's lock.
    var sessionUnderLock: Session { groupUnderLock.session }

    /// Its process group. Any context but NMI; not with the process table's lock.
    public var group: ProcessGroup { ProcessTable.lock.withLockInterruptsOff { _, _ in groupUnderLock } }

    /// Its session. As `group`.
    public var session: Session { group.session }

    /// The first process, which nothing kills.
    @inline(__always)
    public var isInit: Bool { identifier == 1 }

    /// Under the process table's lock.
    var isZombie: Bool { life != .running }

    /// Whether it has ended and only its status is left. Any context but NMI.
    public var hasEnded: Bool { ProcessTable.lock.withLockInterruptsOff { _, _ in isZombie } }

    /// Whether its status was taken too and nothing is left. Any context but NMI.
    var isReaped: Bool { ProcessTable.lock.withLockInterruptsOff { _, _ in life == .reaped } }

    /// Its memory; nil once it has ended. Task context.
    public var addressSpace: AddressSpace? { memory.withLock { $0 } }

    /// A resource's soft limit. Task context.
    public func limit(_ resource: Resource) -> UInt64 { limits.withLock { $0[resource].current } }

    /// The first of its threads that has not ended. Any context but NMI.
    public var firstTask: LinuxTask? { signals.withLockInterruptsOff { signals, _ in signals.threads.first } }

    /// Threads that have not ended. Any context but NMI.
    public var threadCount: Int { signals.withLockInterruptsOff { signals, _ in signals.threads.count } }

    /// Its threads that have not ended, oldest first. Task context; allocates.
    public var tasks: [LinuxTask] {
        var result: [LinuxTask] = []
        result.reserveCapacity(threadCount + 4)
        signals.withLockInterruptsOff { signals, _ in
            signals.threads.forEach { task in
                result.append(task)
                return true
            }
        }
        return result
    }
}

/// What a process executes, as `/proc/PID` shows it.
public struct ProcessImage {
    /// The program's file.
    public var executable: File?
    /// Arguments, each ended by a zero byte; at most a page of them.
    public var commandLine: [UInt8] = []
    /// Addresses of the argument strings and the environment strings on the stack.
    public var arguments: Range<UInt> = 0..<0
    public var environment: Range<UInt> = 0..<0
    /// Stack pointer at the first instruction.
    public var stackStart: UInt = 0
    /// Of the last thread, once it has ended.
    var lastName: ThreadName = ""
}

extension Process {
    /// PR_SET_CHILD_SUBREAPER
    func setSubreaper(_ on: Bool) {
        ProcessTable.lock.withLockInterruptsOff { _, _ in isSubreaper = on }
    }

    /// PR_SET_PDEATHSIG
    func setParentDeathSignal(_ signal: UInt8) {
        ProcessTable.lock.withLockInterruptsOff { _, _ in
            parentDeathSignal = signal
            if signal != 0 { parent?.hasDeathSignals = true }
        }
    }

    /// What a fork inherits of `/proc/PID`.
    func copyImage(of other: Process) {
        let copy = other.image.withLock { $0 }
        image.withLock { $0 = copy }
        oomScoreAdjustment = other.oomScoreAdjustment
    }
}
