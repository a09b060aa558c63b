// Files of a RAM file system that have no contents of their own: device nodes, FIFOs, sockets, symbolic links.

import Primitives

/// A device node, FIFO or socket: opened as every file system's are.
final class RAMNode: Inode, @unchecked Sendable {
    /// The pipe behind a FIFO, made when it is first opened. Task context.
    private let itsPipe = SpinLock<Pipe?>(nil)

    init(_ fileSystem: RAMFileSystem, mode: FileMode, device: DeviceNumber, owner: FileOwner) {
        super.init(
            fileSystem, number: fileSystem.nextNumber(), mode: mode, userID: owner.userID,
            groupID: owner.groupID,
            device: device)
    }

    override var pipe: Pipe? {
        guard kind == .fifo else { return nil }
        if let pipe = itsPipe.withLock({ $0 }) { return pipe }
        let new = Pipe()
        return itsPipe.withLock { pipe in
            if pipe == nil { pipe = new }
            return pipe
        }
    }
}

final class RAMSymbolicLink: Inode, @unchecked Sendable {
    private let target: [UInt8]

    init(_ fileSystem: RAMFileSystem, target: [UInt8], owner: FileOwner) {
        self.target = target
        super.init(
            fileSystem, number: fileSystem.nextNumber(), mode: FileMode(.symbolicLink, 0o777),
            userID: owner.userID,
            groupID: owner.groupID)
    }

    override var size: Int { target.count }

    override func readLink(_ task: borrowing TaskContext) throws(Errno) -> LinkTarget { .name(target) }
}
