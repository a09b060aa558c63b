// A directory of made-up files.

import Primitives

/// A directory whose entries are known, in the order they were added; subclasses add more.
class PseudoDirectory: PseudoInode, @unchecked Sendable {
    struct Entry {
        let name: [UInt8]
        let inode: Inode
    }

    /// Grows only. Task context.
    private let entries = SpinLock([Entry]())
    /// Number of the directory above, for `..`.
    let parentNumber: UInt64

    init(
        _ fileSystem: FileSystem, number: UInt64, parent: UInt64, permissions: UInt32 = 0o555,
        userID: UInt32 = 0, groupID: UInt32 = 0
    ) {
        parentNumber = parent
        super.init(
            fileSystem, number: number, mode: FileMode(.directory, permissions), userID: userID,
            groupID: groupID, links: 2)
    }

    /// Adds an entry; the name is not there yet.
    final func add(_ name: [UInt8], _ inode: Inode) {
        if inode.kind == .directory { links += 1 }
        entries.withLock { $0.append(Entry(name: name, inode: inode)) }
    }

    /// The added entry of this name.
    final func find(_ name: Span<UInt8>) -> Inode? {
        entries.withLock { entries in
            for entry in entries where Self.equal(entry.name, name) { return entry.inode }
            return nil
        }
    }

    final var entryCount: Int { entries.withLock { $0.count } }
    final func entry(_ index: Int) -> Entry? {
        entries.withLock { index >= 0 && index < $0.count ? $0[index] : nil }
    }

    private static func equal(_ a: [UInt8], _ b: Span<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        for index in b.indices where a[index] != b[index] { return false }
        return true
    }

    override func lookup(_ name: Span<UInt8>, _ task: borrowing TaskContext) throws(Errno) -> Inode {
        guard let inode = find(name) else { throw .noSuchFile }
        return inode
    }

    /// Nothing is made here. /proc does not even have the name (ENOENT); elsewhere opening is refused by
    /// EACCES, and everything else by EPERM.
    override func create(
        _ name: Span<UInt8>, mode: FileMode, device: DeviceNumber, owner: FileOwner,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Inode { throw mode.kind == .regular ? refusal(.accessDenied) : refusal(.notPermitted) }

    override func createSymbolicLink(
        _ name: Span<UInt8>, target: [UInt8], owner: FileOwner, _ task: borrowing TaskContext
    ) throws(Errno) -> Inode { throw refusal(.notPermitted) }

    override func link(_ name: Span<UInt8>, to inode: Inode, _ task: borrowing TaskContext) throws(Errno) {
        throw refusal(.notPermitted)
    }

    private func refusal(_ usual: Errno) -> Errno {
        fileSystem.knowsAllNames ? .noSuchFile : usual
    }

    /// Hands entries to `buffer` from `position` (0 for the first behind `..`) on, and says where to go on.
    func list(from position: Int, into buffer: inout DirectoryBuffer, _ task: borrowing TaskContext)
        throws(Errno) -> Int
    {
        var index = position
        while let entry = entry(index) {
            let number = entry.inode.number
            guard buffer.add(entry.name.span, number: number, kind: entry.inode.kind, next: index + 3) else {
                break
            }
            index += 1
        }
        return index
    }

    override func open(
        _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        PseudoDirectoryFile(self, path, flags)
    }
}

/// An open directory. Position 0 stands before `.`, 1 before `..`, 2 + n before what `list` calls n.
final class PseudoDirectoryFile: File, @unchecked Sendable {
    private let directory: PseudoDirectory

    init(_ directory: PseudoDirectory, _ path: Path?, _ flags: OpenFlags) {
        self.directory = directory
        super.init(directory, path, flags)
    }

    private static let dots: InlineArray<2, UInt8> = [46, 46]

    override func readDirectory(
        into buffer: inout DirectoryBuffer, _ task: borrowing TaskContext
    ) throws(Errno) {
        while position < 2 {
            let name = Self.dots.span.extracting(0..<position + 1)
            let number = position == 0 ? directory.number : directory.parentNumber
            guard buffer.add(name, number: number, kind: .directory, next: position + 1) else { return }
            position += 1
        }
        position = 2 + (try directory.list(from: position - 2, into: &buffer, task))
    }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int { throw .isDirectory }
}
