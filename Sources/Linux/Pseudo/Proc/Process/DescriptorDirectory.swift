// /proc/PID/fd, a link for each open descriptor, and /proc/PID/fdinfo, a text for each.

import Primitives

final class DescriptorDirectory: PseudoDirectory, @unchecked Sendable {
    private let subject: ProcessSubject
    /// `fdinfo`: texts instead of links.
    private let describes: Bool
    private let owner: FileOwner

    init(_ subject: ProcessSubject, _ fileSystem: FileSystem, _ number: UInt64, describes: Bool) {
        self.subject = subject
        self.describes = describes
        owner = subject.owner
        super.init(
            fileSystem, number: number, parent: ProcessDirectory.number(of: subject.process),
            permissions: describes ? 0o555 : 0o500, userID: owner.userID, groupID: owner.groupID)
    }

    /// Numbers of what is in here: behind those of the process's own files.
    private func number(of descriptor: Int32) -> UInt64 {
        number << 20 | (describes ? 1 << 19 : 0) | UInt64(descriptor)
    }

    override func lookup(_ name: Span<UInt8>, _ task: borrowing TaskContext) throws(Errno) -> Inode {
        try subject.checkInspection()
        let isZero = name.count == 1 && name[0] == 48
        guard let descriptor = isZero ? 0 : ProcessNumber.parse(name) else { throw .noSuchFile }
        let file = try file(descriptor)
        return describes ? text(descriptor) : link(descriptor, file)
    }

    private func file(_ descriptor: Int32) throws(Errno) -> File {
        do throws(Errno) { return try subject.descriptors().file(descriptor) } catch { throw .noSuchFile }
    }

    private func link(_ descriptor: Int32, _ file: File) -> Inode {
        var permissions: UInt32 = 0
        if file.isReadable { permissions |= 0o500 }
        if file.isWritable { permissions |= 0o300 }
        return PseudoLink(
            fileSystem, number: number(of: descriptor), permissions: permissions, userID: owner.userID,
            groupID: owner.groupID
        ) { _ throws(Errno) in .path(SystemCalls.path(of: try self.file(descriptor))) }
    }

    private func text(_ descriptor: Int32) -> Inode {
        GeneratedInode(
            fileSystem, number: number(of: descriptor), permissions: 0o444, userID: owner.userID,
            groupID: owner.groupID
        ) { text, _ throws(Errno) in
            let file = try self.file(descriptor)
            let closes = try self.subject.descriptors().closesOnExec(descriptor)
            let flags = file.flags.rawValue | (closes ? OpenFlags.closeOnExec.rawValue : 0)
            text.add("pos:\t\(file.position)\nflags:\t0\(octal: flags)\n")
            text.add("mnt_id:\t\(file.path?.mount.identifier ?? 0)\nino:\t\(file.inode.number)\n")
        }
    }

    override func list(
        from position: Int, into buffer: inout DirectoryBuffer, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        try subject.checkInspection()
        guard let task = subject.representative else { return position }
        let files = task.lock.withLock { _ in task.files }
        var next = Int32(truncatingIfNeeded: position)
        while let (descriptor, _) = files.next(from: next) {
            let name = Text("\(descriptor)").bytes
            let kind: FileKind = describes ? .regular : .symbolicLink
            guard
                buffer.add(
                    name.span, number: number(of: descriptor), kind: kind, next: Int(descriptor) + 3)
            else { break }
            next = descriptor + 1
        }
        return Int(next)
    }
}
