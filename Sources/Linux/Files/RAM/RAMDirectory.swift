// A directory of a RAM file system. Its entries are in the tree; here is what changes with them.

import Primitives
import Synchronization

final class RAMDirectory: Inode, @unchecked Sendable {
    /// What an entry counts in a directory's size, as in Linux's tmpfs.
    private static let entrySize = 20

    private let ram: RAMFileSystem
    private let bytes = Atomic<Int>(2 * RAMDirectory.entrySize)

    init(_ fileSystem: RAMFileSystem, mode: FileMode, owner: FileOwner) {
        ram = fileSystem
        super.init(
            fileSystem, number: fileSystem.nextNumber(), mode: mode, userID: owner.userID,
            groupID: owner.groupID,
            links: 2)
    }

    override var keepsEntries: Bool { true }
    override var size: Int { bytes.load(ordering: .relaxed) }

    private func changed(entries: Int) {
        bytes.wrappingAdd(entries * Self.entrySize, ordering: .relaxed)
        touchModified()
    }

    // MARK: Making

    override func create(
        _ name: Span<UInt8>, mode: FileMode, device: DeviceNumber, owner: FileOwner,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Inode {
        try ram.reserveNode()
        changed(entries: 1)
        switch mode.kind {
        case .directory:
            links &+= 1
            return RAMDirectory(ram, mode: mode, owner: owner)
        case .regular: return RAMFile(ram, mode: mode, owner: owner)
        default: return RAMNode(ram, mode: mode, device: device, owner: owner)
        }
    }

    override func createUnnamed(
        mode: FileMode, owner: FileOwner, _ task: borrowing TaskContext
    ) throws(Errno) -> Inode {
        guard ram.hasRoom else { throw .noSpace }
        return RAMFile(ram, mode: mode, owner: owner, links: 0)
    }

    override func createSymbolicLink(
        _ name: Span<UInt8>, target: [UInt8], owner: FileOwner, _ task: borrowing TaskContext
    ) throws(Errno) -> Inode {
        try ram.reserveNode()
        changed(entries: 1)
        return RAMSymbolicLink(ram, target: target, owner: owner)
    }

    override func link(_ name: Span<UInt8>, to inode: Inode, _ task: borrowing TaskContext) throws(Errno) {
        guard inode.links < UInt32(Int32.max) else { throw .tooManyLinks }
        try ram.reserveNode()
        changed(entries: 1)
        inode.links &+= 1
        inode.changeTime = modificationTime
    }

    // MARK: Removing

    override func unlink(_ name: Span<UInt8>, _ inode: Inode, _ task: borrowing TaskContext) throws(Errno) {
        forget(inode)
        changed(entries: -1)
    }

    override func removeDirectory(_ name: Span<UInt8>, _ inode: Inode, _ task: borrowing TaskContext)
        throws(Errno)
    {
        forget(inode)
        changed(entries: -1)
    }

    /// One name of `inode` in this directory goes.
    private func forget(_ inode: Inode) {
        ram.releaseNode()
        inode.changeTime = FileClock.now
        if inode.kind == .directory {
            inode.links = 0
            links &-= 1
        } else {
            inode.links &-= 1
        }
    }

    // MARK: Renaming

    override func rename(
        _ name: Span<UInt8>, _ inode: Inode, to newDirectory: Inode, _ newName: Span<UInt8>,
        replacing replaced: Inode?,
        exchange: Bool, _ task: borrowing TaskContext
    ) throws(Errno) {
        // Same file system, so the same kind of directory.
        let other = unsafe unsafeDowncast(newDirectory, to: RAMDirectory.self)
        if let replaced, exchange {
            moveLink(of: replaced, from: other, to: self)
        } else if let replaced {
            other.forget(replaced)
            other.changed(entries: -1)
        }
        moveLink(of: inode, from: self, to: other)
        if !exchange {
            changed(entries: -1)
            other.changed(entries: 1)
        } else {
            changed(entries: 0)
            other.changed(entries: 0)
        }
        inode.changeTime = modificationTime
    }

    /// A directory's `..` is a link to the one above.
    private func moveLink(of inode: Inode, from: RAMDirectory, to: RAMDirectory) {
        guard inode.kind == .directory, from !== to else { return }
        from.links &-= 1
        to.links &+= 1
    }

    override func open(_ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext) throws(Errno) -> File
    {
        TreeDirectoryFile(self, path, flags)
    }
}
