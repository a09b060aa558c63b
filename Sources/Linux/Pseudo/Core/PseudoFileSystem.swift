// File systems whose files are made up when somebody looks: /proc and /sys.
//
// A tree of `PseudoDirectory` objects, built once at boot from tables of attributes (a path, permissions, a function
// that shows and one that stores). Directories may add entries of their own making when asked (`/proc/PID`).

import Primitives
import Synchronization

/// A file system of made-up files.
final class PseudoFileSystem: FileSystem, @unchecked Sendable {
    private let magic: Int
    private let nextNumber = Atomic<UInt64>(1)

    override var knowsAllNames: Bool { hasFixedNames }
    private let hasFixedNames: Bool

    /// `magic` tells its kind to statfs(2).
    init(typeName: StaticString, magic: Int, hasFixedNames: Bool = false) {
        self.magic = magic
        self.hasFixedNames = hasFixedNames
        super.init(typeName: typeName)
    }

    /// A number for an inode that lives as long as the file system.
    func takeNumber() -> UInt64 { nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue }

    override func statistics(_ task: borrowing TaskContext) throws(Errno) -> FileSystemStatistics {
        var result = FileSystemStatistics()
        result.magic = magic
        return result
    }
}

/// An inode of a made-up file: attributes cannot be changed.
class PseudoInode: Inode, @unchecked Sendable {
    init(
        _ fileSystem: FileSystem, number: UInt64, mode: FileMode, userID: UInt32 = 0, groupID: UInt32 = 0,
        links: UInt32 = 1
    ) {
        super.init(
            fileSystem, number: number, mode: mode, userID: userID, groupID: groupID, device: .none,
            links: links, time: FileClock.now)
    }

    override func setAttributes(_ change: AttributeChange, _ task: borrowing TaskContext) throws(Errno) {
        // Times change with every look, so setting them does no harm and means nothing.
        if change.permissions != nil || change.userID != nil || change.groupID != nil { throw .notPermitted }
    }

    /// `> /proc/sys/...` opens with O_TRUNC: nothing to cut.
    override func truncate(to size: Int, _ task: borrowing TaskContext) throws(Errno) {}
}
