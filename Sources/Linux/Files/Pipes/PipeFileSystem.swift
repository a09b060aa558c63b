// The file system that pipes without a name belong to. It is mounted nowhere.

import Primitives
import Synchronization

final class PipeFileSystem: FileSystem, @unchecked Sendable {
    static let shared = PipeFileSystem()

    private let numbers = Atomic<UInt64>(1)

    private init() { super.init(typeName: "pipefs") }

    override var isPermanent: Bool { true }

    override func statistics(_ task: borrowing TaskContext) throws(Errno) -> FileSystemStatistics {
        var result = FileSystemStatistics()
        result.magic = 0x5049_5045
        return result
    }

    /// A new pipe: its reading and its writing end.
    static func makePipe(_ flags: OpenFlags, owner: FileOwner) -> (PipeFile, PipeFile) {
        let inode = PipeInode(
            shared, number: shared.numbers.wrappingAdd(1, ordering: .relaxed).oldValue, owner)
        let pipe = inode.itsPipe
        let reader = PipeFile(pipe, inode, nil, flags, .first)
        let writer = PipeFile(pipe, inode, nil, flags.union(.writeOnly), .first)
        return (reader, writer)
    }
}

/// The inode of a pipe without a name; opened again through `/proc/PID/fd`.
final class PipeInode: Inode, @unchecked Sendable {
    let itsPipe = Pipe(isOpen: true)

    init(_ fileSystem: FileSystem, number: UInt64, _ owner: FileOwner) {
        super.init(
            fileSystem, number: number, mode: FileMode(.fifo, 0o600), userID: owner.userID,
            groupID: owner.groupID)
    }

    override var pipe: Pipe? { itsPipe }
}
