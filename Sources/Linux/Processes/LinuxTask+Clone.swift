// Making a thread or a process: everything that can fail happens before anybody can see the child.

import Machine
import Memory
import Primitives
import Synchronization
import Tasks

extension LinuxTask {
    /// Makes a child as `request` says, whose registers are a copy of `registers`, and starts it. Returns
    /// its number. Throws `.tryAgain` at a limit, `.noMemory`, `.restartNoInterrupt` if a signal came first.
    func clone(
        _ request: CloneRequest, _ registers: PtRegs, _ task: borrowing TaskContext
    ) throws(Errno) -> Int32 {
        try request.check()
        if request.has(CloneRequest.Flag.sibling), process.isInit { throw .invalid }
        try account.reserveThread(for: self)
        do throws(Errno) {
            return try cloneCounted(request, registers, task)
        } catch {
            account.threads.wrappingSubtract(1, ordering: .relaxed)
            throw error
        }
    }

    private func cloneCounted(
        _ request: CloneRequest, _ registers: PtRegs, _ task: borrowing TaskContext
    ) throws(Errno) -> Int32 {
        let number = try ProcessTable.lock.withLockInterruptsOff { table, _ throws(Errno) in
            guard let number = table.allocate() else { throw Errno.tryAgain }
            return number
        }
        var isPublished = false
        defer {
            if !isPublished { ProcessTable.lock.withLockInterruptsOff { table, _ in table.cancel(number) } }
        }
        let child = try makeChild(number, request, task)
        let thread = try Thread.createUser(name: thread.name, userObject: child, task)
        child.thread = thread
        if scheduling.resetsOnFork { resetScheduling(of: thread) }
        if let space = child.process.addressSpace { thread.setInitialAddressSpace(space) }
        child.prepareRegisters(request, registers)
        let gate = request.has(CloneRequest.Flag.vfork) ? ForkGate() : nil
        child.forkGate = gate
        do throws(Errno) {
            try publish(child, request)
        } catch {
            thread.discardUnstarted()
            throw error
        }
        isPublished = true
        if request.has(CloneRequest.Flag.setParentIdentifier) {
            // The child exists whatever this address is worth.
            _ = try? SystemCalls.store(number, to: request.parentIdentifier, task)
        }
        thread.start()
        gate?.wait(task)
        return number
    }

    /// SCHED_RESET_ON_FORK: no real-time class, and no nice value below 0.
    private func resetScheduling(of thread: Thread) {
        if scheduling.isRealTime { thread.setScheduling(.normal) }
        if scheduling.isRealTime || thread.nice < 0 { thread.setNice(0) }
    }

    /// The child's objects, shared or copied. Nobody else knows them yet.
    private func makeChild(
        _ number: Int32, _ request: CloneRequest, _ task: borrowing TaskContext
    ) throws(Errno) -> LinuxTask {
        typealias Flag = CloneRequest.Flag
        let files = request.has(Flag.files) ? files : DescriptorTable(copying: files)
        let fileSystem = request.has(Flag.fileSystem) ? fileSystem : FileSystemContext(copying: fileSystem)
        let childProcess =
            request.has(Flag.thread) ? process : try makeProcess(number, request, task)
        let child = LinuxTask(
            identifier: number, process: childProcess, credentials: credentials, files: files,
            fileSystem: fileSystem, parent: self)
        child.blocked = blocked
        child.timerSlack = timerSlack
        child.scheduling = scheduling.inherited
        child.noNewPrivileges = noNewPrivileges
        child.personality = personality
        if !request.has(Flag.memory) || request.has(Flag.vfork) { child.alternateStack = alternateStack }
        if request.has(Flag.clearChildIdentifier) { child.clearThreadIdentifier = request.childIdentifier }
        if request.has(Flag.setChildIdentifier) { child.storeIdentifierAt = request.childIdentifier }
        if !request.has(Flag.memory) { child.rseq = rseq }
        return child
    }

    private func makeProcess(
        _ number: Int32, _ request: CloneRequest, _ task: borrowing TaskContext
    ) throws(Errno) -> Process {
        typealias Flag = CloneRequest.Flag
        let actions =
            if request.has(Flag.signalActions) {
                process.actions
            } else if request.has(Flag.clearActions) {
                SignalActions()
            } else {
                process.actions.copy()
            }
        guard let space = process.addressSpace else { throw .noMemory }
        let memory = request.has(Flag.memory) ? space : try space.fork()
        let limits = process.limits.withLock { $0 }
        let child = Process(
            identifier: number, group: process.group, actions: actions, limits: limits, addressSpace: memory)
        if limits[.cpuTime].current != ResourceLimit.infinity {
            child.timers.setLimit(limits[.cpuTime], of: child, task)
        }
        if limits[.realTimeTime].current != ResourceLimit.infinity {
            child.timers.setRealTimeLimit(limits[.realTimeTime], of: child, task)
        }
        child.sharesAddressSpace = request.has(Flag.memory)
        child.userIdentifier = credentials.userID
        child.exitSignal = request.exitSignal
        child.isDumpable = process.isDumpable
        child.copyImage(of: process)
        return child
    }

    /// The registers with which the child begins. It has not started: its stack is still the parent's to write.
    private func prepareRegisters(_ request: CloneRequest, _ registers: PtRegs) {
        var copy = registers
        copy.ax = 0
        // A child is not in a system call that could be restarted.
        copy.orig_ax = .max
        if request.stack != 0 { copy.sp = UInt64(request.stack) }
        setUserRegisters(copy)
        if request.has(CloneRequest.Flag.threadPointer) {
            var bases = thread.initialBases
            bases.fs = UInt64(request.threadPointer)
            thread.setInitialBases(bases)
        }
        if storeIdentifierAt != 0 || rseq.isRegistered { thread.setFlags(.notifyResume) }
    }

    /// Makes the child known. A signal that is pending now goes to the parent first, so that one sent to
    /// the group reaches either the parent before the fork or both after it.
    private func publish(_ child: LinuxTask, _ request: CloneRequest) throws(Errno) {
        let isThread = request.has(CloneRequest.Flag.thread)
        try ProcessTable.lock.withLockInterruptsOff { table, _ throws(Errno) in
            if hasSignalPending { throw Errno.restartNoInterrupt }
            if isThread {
                try process.signals.withLockInterruptsOff { signals, _ throws(Errno) in
                    if signals.groupExit != nil || isEnding { throw Errno.restartNoInterrupt }
                    signals.threads.append(child)
                }
                table.update(child.identifier) { $0.task = child }
            } else {
                publishProcess(child, request, &table)
            }
        }
        ProcessTable.forks.wrappingAdd(1, ordering: .relaxed)
    }

    private func publishProcess(_ child: LinuxTask, _ request: CloneRequest, _ table: inout PidTable) {
        let new = child.process
        new.signals.withLockInterruptsOff { signals, _ in signals.threads.append(child) }
        let isSibling = request.has(CloneRequest.Flag.sibling)
        let parent = isSibling ? process.parent ?? process : process
        if isSibling { new.exitSignal = process.exitSignal }
        new.parent = parent
        new.parentThread = isSibling ? process.parentThread : thread.identifier
        parent.children.append(new)
        new.groupUnderLock = process.groupUnderLock
        new.groupUnderLock.members.append(new)
        table.update(new.identifier) {
            $0.task = child
            $0.process = new
        }
    }
}

extension UserAccount {
    /// Counts a new thread unless RLIMIT_NPROC of `parent` forbids it; user 0 and those with the right
    /// capabilities are not limited.
    func reserveThread(for parent: LinuxTask) throws(Errno) {
        let before = threads.wrappingAdd(1, ordering: .relaxed).oldValue
        let credentials = parent.credentials
        let isFree =
            identifier == 0 || credentials.has(.resource) || credentials.has(.administration)
        if !isFree, UInt64(max(before, 0)) >= parent.process.limit(.processes) {
            threads.wrappingSubtract(1, ordering: .relaxed)
            throw .tryAgain
        }
    }
}
