// /proc/PID and /proc/PID/task/TID: made when looked up, from a table of what is in them.

import Primitives

/// What is found in a process's directory.
struct ProcessEntry: Sendable {
    enum Content: Sendable {
        case text(@Sendable (ProcessSubject, inout Text, borrowing TaskContext) throws(Errno) -> Void)
        /// Text, and what a write does.
        case setting(
            show: @Sendable (ProcessSubject, inout Text, borrowing TaskContext) throws(Errno) -> Void,
            store: @Sendable (ProcessSubject, Span<UInt8>, borrowing TaskContext) throws(Errno) -> Void)
        case stream(
            @Sendable (ProcessSubject, inout UInt, inout Text, borrowing TaskContext) throws(Errno) -> Bool)
        case link(@Sendable (ProcessSubject, borrowing TaskContext) throws(Errno) -> LinkTarget)
        case inode(@Sendable (ProcessSubject, FileSystem, UInt64) -> Inode)
    }

    let name: StaticString
    let kind: FileKind
    let permissions: UInt32
    /// Only for who may inspect the process.
    var isPrivate = false
    /// Only in a process's directory, not in a thread's.
    var isProcessOnly = false
    let content: Content
}

final class ProcessDirectory: PseudoDirectory, @unchecked Sendable {
    private let subject: ProcessSubject
    private let owner: FileOwner

    /// Numbers of inodes: those of fixed files are small.
    static func number(of process: Process) -> UInt64 { 1 << 40 | UInt64(process.identifier) << 8 }

    private static func number(of thread: LinuxTask) -> UInt64 { 1 << 41 | UInt64(thread.identifier) << 8 }

    init(_ process: Process, _ fileSystem: FileSystem) {
        subject = ProcessSubject(process: process, thread: nil)
        owner = subject.owner
        super.init(
            fileSystem, number: Self.number(of: process), parent: fileSystem.root.inode.number,
            userID: owner.userID, groupID: owner.groupID)
    }

    init(_ thread: LinuxTask, _ fileSystem: FileSystem) {
        subject = ProcessSubject(process: thread.process, thread: thread)
        owner = subject.owner
        super.init(
            fileSystem, number: Self.number(of: thread), parent: Self.number(of: thread.process) | 1,
            userID: owner.userID, groupID: owner.groupID)
    }

    private func isHere(_ entry: ProcessEntry) -> Bool { subject.thread == nil || !entry.isProcessOnly }

    override func lookup(_ name: Span<UInt8>, _ task: borrowing TaskContext) throws(Errno) -> Inode {
        for (index, entry) in ProcessEntries.all.enumerated()
        where isHere(entry) && Input.equals(name, entry.name) {
            return inode(entry, number + UInt64(index) + 2)
        }
        throw .noSuchFile
    }

    private func inode(_ entry: ProcessEntry, _ number: UInt64) -> Inode {
        let subject = subject
        let check = { @Sendable () throws(Errno) in
            try subject.checkExistence()
            if entry.isPrivate { try subject.checkInspection() }
        }
        switch entry.content {
        case .text(let show):
            return GeneratedInode(
                fileSystem, number: number, permissions: entry.permissions, userID: owner.userID,
                groupID: owner.groupID
            ) { text, task throws(Errno) in
                try check()
                try show(subject, &text, task)
            }
        case .setting(let show, let store):
            return GeneratedInode(
                fileSystem, number: number, permissions: entry.permissions, userID: owner.userID,
                groupID: owner.groupID,
                show: { text, task throws(Errno) in
                    try check()
                    try show(subject, &text, task)
                },
                store: { bytes, task throws(Errno) in
                    try check()
                    try store(subject, bytes, task)
                })
        case .stream(let next):
            return StreamedInode(
                fileSystem, number: number, permissions: entry.permissions, userID: owner.userID,
                groupID: owner.groupID, check: check
            ) { cursor, text, task throws(Errno) in try next(subject, &cursor, &text, task) }
        case .link(let target):
            return PseudoLink(
                fileSystem, number: number, permissions: entry.permissions, userID: owner.userID,
                groupID: owner.groupID
            ) { task throws(Errno) in
                try check()
                return try target(subject, task)
            }
        case .inode(let make): return make(subject, fileSystem, number)
        }
    }

    override func list(
        from position: Int, into buffer: inout DirectoryBuffer, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var index = position
        let entries = ProcessEntries.all
        while index < entries.count {
            let entry = entries[index]
            if isHere(entry) {
                let name = Text(stringLiteral: entry.name).bytes
                let number = number + UInt64(index) + 2
                guard buffer.add(name.span, number: number, kind: entry.kind, next: index + 3) else { break }
            }
            index += 1
        }
        return index
    }
}

extension ProcessSubject {
    /// Whom the files belong to: nobody but the superuser where others may not look.
    var owner: FileOwner {
        guard process.isDumpable else { return FileOwner(userID: 0, groupID: 0) }
        let credentials = credentials
        return FileOwner(userID: credentials.effectiveUserID, groupID: credentials.effectiveGroupID)
    }
}
