// Process groups and sessions: getpgid, setpgid, getsid, setsid and their kin.

import Primitives

extension SystemCalls {
    static func getpgrp(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        Int(LinuxTask.current.process.groupIdentifier)
    }

    static func getpgid(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        Int(try process(arguments.a0.asInt32).groupIdentifier)
    }

    static func getsid(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        Int(try process(arguments.a0.asInt32).sessionIdentifier)
    }

    /// The process that a call names; 0 is the caller's own. Threads that are not the first count as
    /// their process.
    static func process(_ identifier: Int32) throws(Errno) -> Process {
        if identifier == 0 { return LinuxTask.current.process }
        guard identifier > 0, let task = ProcessTable.task(identifier) else { throw .noSuchProcess }
        return task.process
    }

    static func setpgid(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let caller = LinuxTask.current.process
        let named = arguments.a0.asInt32 == 0 ? caller.identifier : arguments.a0.asInt32
        let wanted = arguments.a1.asInt32 == 0 ? named : arguments.a1.asInt32
        guard wanted >= 0, named >= 0 else { throw .invalid }
        try ProcessTable.lock.withLockInterruptsOff { table, _ throws(Errno) in
            guard let process = table.process(named) else {
                throw table.task(named) == nil ? .noSuchProcess : .invalid
            }
            if process.parent === caller {
                guard process.sessionUnderLock === caller.sessionUnderLock else { throw .notPermitted }
                guard !process.hasExecuted else { throw .accessDenied }
            } else if process !== caller {
                throw .noSuchProcess
            }
            guard process.sessionUnderLock.identifier != process.identifier else { throw .notPermitted }
            if process.groupUnderLock.identifier == wanted { return }
            let group: ProcessGroup
            if let existing = table.group(wanted) {
                guard existing.session === caller.sessionUnderLock else { throw .notPermitted }
                group = existing
            } else {
                guard wanted == named else { throw .notPermitted }
                group = table.makeGroup(wanted, in: caller.sessionUnderLock)
            }
            table.move(process, to: group)
        }
        return 0
    }

    static func setsid(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let process = LinuxTask.current.process
        try ProcessTable.lock.withLockInterruptsOff { table, _ throws(Errno) in
            // Not for group leaders, and not while a group still has the number.
            guard table.group(process.identifier) == nil else { throw .notPermitted }
            let session = table.makeSession(process.identifier)
            table.move(process, to: table.makeGroup(process.identifier, in: session))
        }
        return Int(process.identifier)
    }
}

extension Process {
    /// Number of its process group. Any context but NMI.
    public var groupIdentifier: Int32 {
        ProcessTable.lock.withLockInterruptsOff { _, _ in groupUnderLock.identifier }
    }

    /// Number of its session. Any context but NMI.
    public var sessionIdentifier: Int32 {
        ProcessTable.lock.withLockInterruptsOff { _, _ in sessionUnderLock.identifier }
    }

    /// Number of its parent, 0 for init. Any context but NMI.
    public var parentIdentifier: Int32 {
        ProcessTable.lock.withLockInterruptsOff { _, _ in parent?.identifier ?? 0 }
    }
}

// The changes of groups and sessions, under the process table's lock.
extension PidTable {
    mutating func makeSession(_ identifier: Int32) -> Session {
        let session = Session(identifier)
        update(identifier) { $0.session = session }
        return session
    }

    mutating func makeGroup(_ identifier: Int32, in session: Session) -> ProcessGroup {
        let group = ProcessGroup(identifier, session)
        session.groupCount += 1
        update(identifier) { $0.group = group }
        return group
    }

    /// Moves a process that is in a group to another.
    mutating func move(_ process: Process, to group: ProcessGroup) {
        leaveGroup(process)
        process.groupUnderLock = group
        group.members.append(process)
    }

    /// Takes a process out of its group; a group without members and a session without groups end.
    mutating func leaveGroup(_ process: Process) {
        let group = process.groupUnderLock
        group.members.remove(process)
        guard group.members.isEmpty else { return }
        update(group.identifier) { $0.group = nil }
        group.session.groupCount -= 1
        if group.session.groupCount == 0 { update(group.session.identifier) { $0.session = nil } }
    }
}
