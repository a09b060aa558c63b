// What `fork`, `vfork`, `clone` and `clone3` ask for, checked against the rules of clone(2).

import Machine
import Primitives

struct CloneRequest: Equatable {
    var flags: UInt64
    /// Signal for the parent when the child ends, 0 for none.
    var exitSignal: UInt8 = Signal.child.number
    /// Stack pointer of the child, 0 to go on with a copy of the caller's.
    var stack: UInt = 0
    /// FS base with CLONE_SETTLS.
    var threadPointer: UInt = 0
    var parentIdentifier: UInt = 0
    var childIdentifier: UInt = 0
    /// Where CLONE_PIDFD puts its descriptor.
    var descriptor: UInt = 0

    enum Flag {
        static let signalMask: UInt64 = 0xff  // CSIGNAL
        static let memory: UInt64 = 0x100  // CLONE_VM
        static let fileSystem: UInt64 = 0x200  // CLONE_FS
        static let files: UInt64 = 0x400  // CLONE_FILES
        static let signalActions: UInt64 = 0x800  // CLONE_SIGHAND
        static let descriptor: UInt64 = 0x1000  // CLONE_PIDFD
        static let trace: UInt64 = 0x2000  // CLONE_PTRACE
        static let vfork: UInt64 = 0x4000  // CLONE_VFORK
        static let sibling: UInt64 = 0x8000  // CLONE_PARENT
        static let thread: UInt64 = 0x10000  // CLONE_THREAD
        static let namespaces: UInt64 = 0x7e02_0000  // CLONE_NEW*, without time
        static let systemVSemaphores: UInt64 = 0x40000  // CLONE_SYSVSEM
        static let threadPointer: UInt64 = 0x80000  // CLONE_SETTLS
        static let setParentIdentifier: UInt64 = 0x100000  // CLONE_PARENT_SETTID
        static let clearChildIdentifier: UInt64 = 0x200000  // CLONE_CHILD_CLEARTID
        static let detached: UInt64 = 0x400000  // CLONE_DETACHED, without effect
        static let untraced: UInt64 = 0x800000  // CLONE_UNTRACED, without effect
        static let setChildIdentifier: UInt64 = 0x1000000  // CLONE_CHILD_SETTID
        static let inputOutput: UInt64 = 0x8000_0000  // CLONE_IO, without effect
        static let clearActions: UInt64 = 0x1_0000_0000  // CLONE_CLEAR_SIGHAND
        static let intoControlGroup: UInt64 = 0x2_0000_0000  // CLONE_INTO_CGROUP
        static let newTime: UInt64 = 0x80  // CLONE_NEWTIME
    }

    func has(_ flag: UInt64) -> Bool { flags & flag != 0 }

    /// `fork`.
    static let fork = CloneRequest(flags: 0)
    /// `vfork`.
    static let vfork = CloneRequest(flags: Flag.memory | Flag.vfork)

    init(flags: UInt64) { self.flags = flags }

    /// `clone(flags, stack, parent_tid, child_tid, tls)` of x86-64.
    init(_ arguments: SystemCallArguments) throws(Errno) {
        let word = UInt64(arguments.a0.asUInt32)
        self.init(flags: word & ~Flag.signalMask)
        exitSignal = UInt8(truncatingIfNeeded: word & Flag.signalMask)
        stack = arguments.a1
        parentIdentifier = arguments.a2
        childIdentifier = arguments.a3
        threadPointer = arguments.a4
        // One word serves for both here.
        descriptor = arguments.a2
        if has(Flag.descriptor), has(Flag.setParentIdentifier) { throw .invalid }
        if exitSignal > 64 { throw .invalid }
    }

    /// Refuses combinations that make no sense, and what is not there.
    func check() throws(Errno) {
        if has(Flag.signalActions), !has(Flag.memory) { throw .invalid }
        if has(Flag.thread), !has(Flag.signalActions) { throw .invalid }
        if has(Flag.clearActions), has(Flag.signalActions) { throw .invalid }
        // Name spaces, control groups and process descriptors do not exist.
        if has(Flag.namespaces | Flag.newTime | Flag.intoControlGroup | Flag.descriptor) { throw .invalid }
        // Init has no brothers.
        if has(Flag.threadPointer), threadPointer >= KernelLayout.userEnd { throw .notPermitted }
    }
}

/// `struct clone_args` of clone3(2), in its first and longest versions.
struct CloneArguments {
    var flags: UInt64 = 0
    var descriptor: UInt64 = 0
    var childIdentifier: UInt64 = 0
    var parentIdentifier: UInt64 = 0
    var exitSignal: UInt64 = 0
    var stack: UInt64 = 0
    var stackSize: UInt64 = 0
    var threadPointer: UInt64 = 0
    var setIdentifiers: UInt64 = 0
    var setIdentifierCount: UInt64 = 0
    var controlGroup: UInt64 = 0

    static let firstSize = 64  // CLONE_ARGS_SIZE_VER0
    static let size = 88  // CLONE_ARGS_SIZE_VER2

    init() {}

    /// The request they make. Throws `.invalid` where they contradict each other.
    func request() throws(Errno) -> CloneRequest {
        typealias Flag = CloneRequest.Flag
        guard exitSignal <= 64, flags & (Flag.signalMask & ~Flag.newTime | Flag.detached) == 0,
            flags >> 34 == 0, setIdentifierCount == 0, setIdentifiers == 0
        else { throw .invalid }
        if flags & (Flag.thread | Flag.sibling) != 0, exitSignal != 0 { throw .invalid }
        guard (stack == 0) == (stackSize == 0) else { throw .invalid }
        var request = CloneRequest(flags: flags)
        request.exitSignal = UInt8(truncatingIfNeeded: exitSignal)
        if stack != 0 {
            let top = stack.addingReportingOverflow(stackSize)
            guard !top.overflow, top.partialValue <= UInt64(KernelLayout.userEnd) else { throw .invalid }
            request.stack = UInt(top.partialValue)
        }
        request.threadPointer = UInt(threadPointer)
        request.parentIdentifier = UInt(parentIdentifier)
        request.childIdentifier = UInt(childIdentifier)
        request.descriptor = UInt(descriptor)
        return request
    }
}
