// The end of a process: children find a new parent, the own parent learns of it, and what is left is a
// zombie until somebody waits for it.

import Primitives
import Tasks

extension Process {
    /// From now on all threads end. Only the first status given counts.
    func beginExit(_ status: Int32) {
        signals.withLockInterruptsOff { signals, _ in signals.beginGroupExit(status) }
    }

    /// The end of a session's leader hangs up its terminal.
    func releaseTerminal() {
        let session = session
        guard session.identifier == identifier, let terminal = session.controllingTerminal else { return }
        terminal.sessionLeaderLeft(session)
    }

    func isLastThread(_ thread: LinuxTask) -> Bool {
        signals.withLockInterruptsOff { signals, _ in
            signals.threads.count == 1 && signals.threads.first === thread
        }
    }

    /// A thread ended and others go on: its number is free, unless it is the process's. `execve` may wait for it.
    func threadEnded(_ thread: LinuxTask) {
        ProcessTable.lock.withLockInterruptsOff { table, _ in
            signalChildrenOfThread(thread)
            if thread.identifier != identifier { table.update(thread.identifier) { $0.task = nil } }
        }
        threadsEnded.wakeAll()
    }

    /// The last thread ended. `thread` is it.
    func end(by thread: LinuxTask, _ task: borrowing TaskContext) {
        let status = signals.withLockInterruptsOff { signals, _ in
            signals.groupExit ?? signals.firstThreadStatus
        }
        if isInit { InitProcess.ended(status, task) }
        ProcessTable.lock.withLockInterruptsOff { table, _ in
            signalChildrenOfThread(thread)
            if thread.identifier != identifier { table.update(thread.identifier) { $0.task = nil } }
            let groups = table.groupsConnected(by: self)
            table.handOverChildren(of: self)
            exitStatus = status
            life = .zombie
            for group in groups where group.hasStoppedMember && group.isOrphaned(without: self) {
                group.signalOrphaned()
            }
            table.notifyEnd(of: self)
        }
    }

    /// PR_SET_PDEATHSIG: children of this thread learn that it ended. Under the process table's lock.
    private func signalChildrenOfThread(_ thread: LinuxTask) {
        guard hasDeathSignals else { return }
        children.forEach { child in
            if let signal = Signal(checking: Int(child.parentDeathSignal)),
                child.parentThread == thread.thread.identifier
            {
                child.send(signal)
            }
            return true
        }
    }

    /// What SIGCHLD says about a wait status.
    static func childCode(_ status: Int32) -> (code: Int32, status: Int32) {
        if status & 0x7f == 0 { return (SignalCode.childExited, status >> 8 & 0xff) }
        return (status & 0x80 != 0 ? SignalCode.childDumped : SignalCode.childKilled, status & 0x7f)
    }
}

// Under the process table's lock.
extension PidTable {
    /// Gives the children of an ending process to its nearest ancestor that takes orphans, or to init.
    mutating func handOverChildren(of process: Process) {
        guard !process.children.isEmpty, let reaper = reaper(for: process), reaper !== process else { return }
        while let child = process.children.first {
            process.children.remove(child)
            child.parent = reaper
            child.parentThread = 0
            // Whoever takes orphans is told by SIGCHLD, whatever the child's creator asked for.
            child.exitSignal = Signal.child.number
            if child.life == .zombie {
                reaper.children.prepend(child)
                notifyEnd(of: child)
            } else {
                reaper.children.append(child)
            }
        }
    }

    private func reaper(for process: Process) -> Process? {
        var each = process.parent
        while let ancestor = each {
            if ancestor.isSubreaper, ancestor.life == .running { return ancestor }
            each = ancestor.parent
        }
        return self.process(1)
    }

    /// Groups that a process connects to another one of their session, as a parent or as a child: its end may
    /// leave their stopped members with nobody to continue them.
    func groupsConnected(by process: Process) -> [ProcessGroup] {
        var groups: [ProcessGroup] = []
        let own = process.groupUnderLock
        if let parent = process.parent, parent.groupUnderLock !== own, parent.sessionUnderLock === own.session
        {
            groups.append(own)
        }
        process.children.forEach { child in
            let group = child.groupUnderLock
            if group !== own, group.session === own.session, !groups.contains(where: { $0 === group }) {
                groups.append(group)
            }
            return true
        }
        return groups
    }

    /// Tells the parent of a zombie; where the parent does not care, the zombie goes at once.
    mutating func notifyEnd(of process: Process) {
        guard let parent = process.parent else { return }
        var isForgotten = false
        if process.exitSignal == Signal.child.number {
            let action = parent.actions(under: .child)
            isForgotten = action.isIgnored || action.has(SignalAction.Flag.noChildWait)
        }
        if let signal = Signal(checking: Int(process.exitSignal)) {
            let (code, status) = Process.childCode(process.exitStatus)
            let information = process.childInformation(signal, code: code, status: status)
            _ = parent.send(information, to: nil, from: nil)
        }
        if isForgotten {
            reap(process)
        } else {
            // Where `wait` looks first.
            parent.children.remove(process)
            parent.children.prepend(process)
        }
        parent.childEvents.wakeAll()
    }

    /// Takes a zombie out of the world.
    mutating func reap(_ process: Process) {
        process.life = .reaped
        process.parent?.children.remove(process)
        process.parent = nil
        leaveGroup(process)
        update(process.identifier) {
            $0.task = nil
            $0.process = nil
        }
    }
}

extension ProcessGroup {
    /// POSIX: a newly orphaned group with stopped members is hung up and continued.
    func signalOrphaned() {
        members.forEach { process in
            process.send(.hangUp)
            process.send(.continue)
            return true
        }
    }
}
