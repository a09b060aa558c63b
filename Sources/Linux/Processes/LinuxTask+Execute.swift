// execve: replacing the program. Up to `commit` everything can fail and the old program goes on as if nothing had
// happened; from there on nothing does.

import Machine
import Memory
import Primitives
import Tasks

/// What execve is asked for.
struct ExecutionRequest: ~Copyable {
    var name: [UInt8]
    var flags: LookupFlags = .follow
    var context: NameContext
    var arguments = ArgumentBuffer()
    var environment = ArgumentBuffer()
    /// Bytes that strings may take (the quarter of the stack limit, as on Linux).
    var stringLimit: UInt = 131_072

    init(name: [UInt8], context: NameContext) {
        self.name = name
        self.context = context
    }
}

extension LinuxTask {
    /// Replaces this task's program. On return the thread's registers are those of the new program's first
    /// instruction.
    func execute(_ request: consuming ExecutionRequest, _ task: borrowing TaskContext) throws(Errno) {
        let name = request.name
        let (program, head) = try resolve(&request, task)
        let image = try program.image(head, task)
        let identity = changedIdentity(for: program)
        var built = try ProgramImage(
            stackLimit: process.limit(.stack), isStackExecutable: image.hasExecutableStack, task)
        built.space.setLimits(process.addressSpaceLimits)
        if let place = image.interpreter {
            let (interpreter, interpreterImage) = try openInterpreter(program, place, request.context, task)
            try built.load(image, program, task)
            try built.loadInterpreter(interpreterImage, interpreter, task)
        } else {
            try built.load(image, program, task)
        }
        let stack = try fill(built, &request, name, identity, task)
        // The last thing that may fail: a deadly signal for this process.
        try process.endOtherThreads(than: self, task)
        commit(built, stack, program, request.arguments, identity, name, task)
    }

    /// Finds the program behind scripts; their interpreters and arguments come in front of the arguments.
    private func resolve(
        _ request: inout ExecutionRequest, _ task: borrowing TaskContext
    ) throws(Errno) -> (ProgramFile, [UInt8]) {
        var depth = 0
        while true {
            let program = try ProgramFile(request.name, request.flags, request.context, task)
            let head = try program.read(at: 0, count: max(ElfHeader.size, ExecutionScript.lineLimit), task)
            guard let script = try ExecutionScript(head.span) else { return (program, head) }
            depth += 1
            guard depth <= ExecutionScript.maximumDepth else { throw .symbolicLinkLoop }
            try request.prepend(script)
        }
    }

    private func openInterpreter(
        _ program: ProgramFile, _ place: Range<UInt64>, _ context: NameContext,
        _ task: borrowing TaskContext
    ) throws(Errno) -> (ProgramFile, ElfImage) {
        let path = try program.interpreter(place, task)
        let file = try ProgramFile(path, .follow, context, task)
        let head = try file.read(at: 0, count: ElfHeader.size, task)
        guard head.count == ElfHeader.size, ElfHeader.hasMagic(head.span) else { throw .badLibrary }
        do throws(Errno) { return (file, try file.image(head, task)) } catch {
            throw error == .notExecutable ? .badLibrary : error
        }
    }

    /// Credentials after set-user-ID and set-group-ID bits.
    private func changedIdentity(for program: ProgramFile) -> Credentials {
        var identity = credentials
        let inode = program.file.inode
        let permissions = inode.permissions
        if !noNewPrivileges, !(program.file.path?.mount.flags.contains(.noSetUserID) ?? false) {
            if permissions & FileMode.setUserID != 0 { identity.effectiveUserID = inode.userID }
            // Without group execute the bit means something else.
            if permissions & FileMode.setGroupID != 0, permissions & FileMode.groupExecute != 0 {
                identity.effectiveGroupID = inode.groupID
            }
        }
        identity.savedUserID = identity.effectiveUserID
        identity.savedGroupID = identity.effectiveGroupID
        identity.fileUserID = identity.effectiveUserID
        identity.fileGroupID = identity.effectiveGroupID
        identity.adjustForExecution()
        return identity
    }

    /// Fills the new stack. The new space is this thread's meanwhile; on failure the old one is again.
    private func fill(
        _ built: ProgramImage, _ request: inout ExecutionRequest, _ name: [UInt8], _ identity: Credentials,
        _ task: borrowing TaskContext
    ) throws(Errno) -> InitialStack {
        Thread.useAddressSpace(built.space)
        do throws(Errno) {
            try built.clearTails(task)
            let isSecure =
                identity.effectiveUserID != identity.userID || identity.effectiveGroupID != identity.groupID
            return try built.fillStack(
                request.arguments, request.environment, name: name, identity, isSecure: isSecure, task)
        } catch {
            Thread.useAddressSpace(process.addressSpace)
            throw error
        }
    }

    /// The point of no return.
    private func commit(
        _ built: ProgramImage, _ stack: InitialStack, _ program: ProgramFile,
        _ arguments: borrowing ArgumentBuffer, _ identity: Credentials, _ name: [UInt8],
        _ task: borrowing TaskContext
    ) {
        // What the old program's memory is still needed for.
        Thread.useAddressSpace(process.addressSpace)
        releaseUserMemory(task)
        process.replaceAddressSpace(built.space)
        Thread.useAddressSpace(built.space)

        let isSameUser = identity.effectiveUserID == credentials.effectiveUserID
        changeUser { $0 = identity }
        // Before files are closed: who waits for that to happen knows that the program has begun.
        process.noteExecution(
            ProcessImage(program, stack, commandLine: arguments.prefix(4096)),
            keepsDeathSignal: isSameUser)
        unshareForExecution()
        closeFilesOnExecution()
        process.resetActionsForExecution()
        alternateStack = AlternateStack()
        rseq = RestartableSequence()
        restart = .none
        thread.setName(ThreadName(Self.lastComponent(name).span))
        Thread.resetUserState(task)
        setUserRegisters(Self.initialRegisters(built.start, stack.pointer))
    }

    private static func lastComponent(_ name: [UInt8]) -> [UInt8] {
        guard let slash = name.lastIndex(of: 0x2f) else { return name }
        return [UInt8](name[(slash + 1)...])
    }

    private static func initialRegisters(_ start: UInt, _ stack: UInt) -> PtRegs {
        var registers = PtRegs.zero
        registers.ip = UInt64(start)
        registers.sp = UInt64(stack)
        registers.cs = UInt64(SegmentSelector.userCode)
        registers.ss = UInt64(SegmentSelector.userData)
        registers.flags = FlagsRegister.interrupt | FlagsRegister.fixed
        registers.orig_ax = .max
        return registers
    }

    /// Files that were shared with another process are no longer; CLONE_FS goes on.
    private func unshareForExecution() {
        guard process.sharesFiles else { return }
        let own = DescriptorTable(copying: files)
        lock.withLock { _ in files = own }
        process.sharesFiles = false
    }

    private func closeFilesOnExecution() {
        var descriptor: Int32 = 0
        while let (number, file) = files.removeNextClosingOnExec(from: descriptor) {
            descriptor = number + 1
            _ = file
        }
    }
}

extension ExecutionRequest {
    /// A script takes the place of its name: interpreter, its argument, the script's name, and the arguments but the first.
    mutating func prepend(_ script: ExecutionScript) throws(Errno) {
        var front = ArgumentBuffer()
        try front.append(script.interpreter + [0], limit: stringLimit)
        if let argument = script.argument { try front.append(argument + [0], limit: stringLimit) }
        try front.append(name + [0], limit: stringLimit)
        try front.appendAllButFirst(of: arguments, limit: stringLimit)
        arguments = front
        name = script.interpreter
        flags = .follow
    }
}

extension Credentials {
    /// The rules of capabilities(7) for execve, without file capabilities: user 0 gets all within the bounding set.
    mutating func adjustForExecution() {
        let noRoot = secureBits & 1 != 0  // SECBIT_NOROOT
        var granted = ambient
        if !noRoot, effectiveUserID == 0 || userID == 0 {
            granted = CapabilitySet(bits: inheritable.bits | bounding.bits)
        }
        if effectiveUserID != userID || effectiveGroupID != groupID { ambient = .none }
        permitted = granted
        effective = !noRoot && effectiveUserID == 0 ? granted : ambient
        keepsCapabilities = false
    }
}
