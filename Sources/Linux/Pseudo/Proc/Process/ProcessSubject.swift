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

    /// Throws once nothing is left of it: a process that has been waited for, a thread that has ended.
    func checkExistence() throws(Errno) {
        guard let thread else {
            guard !process.isReaped else { throw .noSuchProcess }
            return
        }
        guard ProcessTable.task(thread.identifier) === thread else { throw .noSuchProcess }
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
        // The parent may know of a stop while the last thread is still on its way there.
        return process.isStopped ? 84 : task.thread.state.letter
    }

    /// The name that `comm` shows.
    var name: [UInt8] {
        let name = representative?.thread.name ?? process.image.withLock { $0.lastName }
        var bytes: [UInt8] = []
        for index in 0..<name.count { bytes.append(name.bytes[index]) }
        return bytes
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
