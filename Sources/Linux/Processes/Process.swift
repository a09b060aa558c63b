// A process: a thread group, with what its threads share.
//
// Its number is that of its first thread. It exists from `fork` until its parent (or the kernel, where
// nobody waits) has taken its exit status; see `ProcessTable` for who owns whom.

import Primitives

@safe public final class Process: Linkable, @unchecked Sendable {
    /// Process number (thread group's).
    public let identifier: Int32

    // Family tree: under the process table's lock.

    /// Nil only for init. Not owned: a parent outlives its children's link, since its end hands
    /// them to another parent first.
    private var parentReference: Unmanaged<Process>?
    var children = ObjectList<Process>(.sibling)
    private var siblingLink = ObjectLink<Process>()
    private var groupLink = ObjectLink<Process>()
    /// Changed by setpgid and setsid.
    public internal(set) var group: ProcessGroup
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

    /// Signals for the process as a whole, its threads, stops; interrupts off.
    let signals: SpinLock<ProcessSignals>
    /// Replaced by the process itself alone, with `signals` held; others read it with `signals` held.
    var actions: SignalActions
    /// Task context, short sections.
    public let limits: SpinLock<ResourceLimits>
    /// What `/proc` shows and `execve` sets. Task context, short sections.
    public let image = SpinLock(ProcessImage())

    enum Life { case running, zombie, reaped }

    init(
        identifier: Int32, parent: Process?, group: ProcessGroup, actions: SignalActions,
        limits: ResourceLimits
    ) {
        self.identifier = identifier
        self.group = group
        self.actions = actions
        signals = SpinLock(ProcessSignals())
        self.limits = SpinLock(limits)
        unsafe parentReference = nil
        self.parent = parent
    }

    /// Under the process table's lock.
    var parent: Process? {
        // The link is cleared before the parent goes.
        get { unsafe parentReference?.takeUnretainedValue() }
        set { unsafe parentReference = newValue.map { unsafe Unmanaged.passUnretained($0) } }
    }

    subscript(link kind: LinkKind) -> ObjectLink<Process> {
        get { kind == .sibling ? siblingLink : groupLink }
        set { if kind == .sibling { siblingLink = newValue } else { groupLink = newValue } }
    }

    /// Under the process table's lock, or by the process itself.
    public var session: Session { group.session }

    /// The first process, which nothing kills.
    @inline(__always)
    public var isInit: Bool { identifier == 1 }

    var isZombie: Bool { life != .running }

    /// A resource's soft limit. Task context.
    public func limit(_ resource: Resource) -> UInt64 { limits.withLock { $0[resource].current } }
}

/// What a process executes, as `/proc/PID` shows it.
public struct ProcessImage: Sendable {
    /// Arguments, each ended by a zero byte.
    public var commandLine: [UInt8] = []
    /// Where the program's file lies.
    public var executablePath: [UInt8] = []
    /// Addresses of the argument strings and the environment strings on the stack.
    public var arguments: Range<UInt> = 0..<0
    public var environment: Range<UInt> = 0..<0
    /// First address of the stack's contents at the start.
    public var stackStart: UInt = 0
}
