// Whom files below /proc/PID describe: a process as a whole, or one thread of it (/proc/PID/task/TID).

import Memory
import Primitives
import Tasks

struct ProcessSubject: Sendable {
    let process: Process
    /// Nil for the process as a whole.
    let thread: LinuxTask?

    /// The number in the path.
    var identifier: Int32 { thread?.identifier ?? process.identifier }

    /// The thread to describe; of a process its first, nil once all have ended.
    var representative: LinuxTask? { thread ?? process.firstTask }

    /// The same, for files that mean nothing once the process has ended.
    func living() throws(Errno) -> LinuxTask {
        guard let task = representative else { throw .noSuchProcess }
        return task
    }

    /// Identity, as others may read it.
    var credentials: Credentials {
        guard let task = representative else {
            var credentials = Credentials()
            credentials.setUser(process.userIdentifier)
            return credentials
        }
        return task.lock.withLock { _ in task.credentials }
    }

    var state: UInt8 {
        guard let task = representative else { return 90 }  // Z
        return task.thread.state.letter
    }

    /// The name that `comm` shows.
    var name: [UInt8] {
        guard let task = representative else { return lastName }
        let name = task.thread.name
        var bytes: [UInt8] = []
        for index in 0..<name.count { bytes.append(name.bytes[index]) }
        return bytes
    }

    /// Of a process without threads: from its program's file.
    private var lastName: [UInt8] {
        guard let file = process.image.withLock({ $0.executable }) else { return [63] }
        let path = file.describe()
        let start = path.lastIndex(of: 47).map { $0 + 1 } ?? 0
        return Array(path[start...].prefix(15))
    }

    /// Whether the running task may look into the process's memory and files (PTRACE_MODE_READ).
    func checkInspection() throws(Errno) {
        guard let caller = Caller.task else { return }
        if caller.process === process || caller.credentials.isPrivileged { return }
        let theirs = credentials
        let ours = caller.credentials.fileUserID
        guard process.isDumpable, ours == theirs.userID, ours == theirs.effectiveUserID,
            ours == theirs.savedUserID
        else { throw .accessDenied }
    }

    /// Its memory; nil once it has ended.
    var memory: AddressSpace? { process.addressSpace }
}

extension Credentials {
    /// All user identities at once.
    fileprivate mutating func setUser(_ identifier: UInt32) {
        userID = identifier
        effectiveUserID = identifier
        savedUserID = identifier
        fileUserID = identifier
    }
}

/// Numbers that tie a process to others, at one moment.
struct ProcessRelations {
    var parent: Int32 = 0
    var group: Int32 = 0
    var session: Int32 = 0
    var terminal: UInt32 = 0
    var foreground: Int32 = -1
    var exitSignal: UInt8 = 0
    var exitStatus: Int32 = 0
    var children = CPUUsage()

    init(_ process: Process) {
        var controlling: (any ControllingTerminal)?
        ProcessTable.lock.withLockInterruptsOff { _, _ in
            parent = process.parent?.identifier ?? 0
            group = process.groupUnderLock.identifier
            session = process.groupUnderLock.session.identifier
            controlling = process.groupUnderLock.session.terminal
            exitSignal = process.exitSignal
            exitStatus = process.exitStatus
            children = process.childTimes
        }
        if let controlling {
            terminal = controlling.deviceNumber
            foreground = controlling.foregroundGroupIdentifier
        }
    }
}
