// Mounting and unmounting (mount(2), umount2(2)).

import Primitives
import Tasks

/// Makes file systems of one type.
open class FileSystemType: @unchecked Sendable {
    public let name: StaticString
    /// Shown as `nodev` in `/proc/filesystems`; false for those that lie on a disk.
    public let needsNoDevice = true

    public init(name: StaticString) { self.name = name }

    /// A file system to mount. `data` is mount(2)'s last argument.
    open func make(source: [UInt8], data: [UInt8], _ task: borrowing TaskContext) throws(Errno) -> FileSystem
    {
        throw .noDevice
    }

    /// All types, in the order of registration. Task context.
    private static let types = SpinLock<[FileSystemType]>([])

    public static func register(_ type: FileSystemType) { types.withLock { $0.append(type) } }

    public static var all: [FileSystemType] { types.withLock { $0 } }

    static func named(_ name: Span<UInt8>) -> FileSystemType? {
        for type in all where name.equals(type.name) { return type }
        return nil
    }
}

extension Names {
    /// Mounts a file system on a directory.
    public static func mount(
        _ fileSystem: FileSystem, on place: Path, source: [UInt8], flags: MountFlags,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        try attach(Mount(fileSystem, root: fileSystem.root, source: source, flags: flags), on: place, task)
    }

    /// Makes what is at one place visible at another.
    static func bind(
        _ from: Path, on place: Path, _ task: borrowing TaskContext
    ) throws(Errno) {
        let mount = Mount(
            from.mount.fileSystem, root: from.entry, source: from.mount.source, flags: from.mount.flags)
        try attach(mount, on: place, task)
    }

    private static func attach(_ mount: Mount, on place: Path, _ task: borrowing TaskContext) throws(Errno) {
        let isDirectory = mount.root.inode.kind == .directory
        guard isDirectory == (place.inode.kind == .directory) else { throw .notDirectory }
        try withMountMutex(task) { () throws(Errno) in
            guard !place.entry.isRemoved else { throw .noSuchFile }
            // Found again from now on, even in a directory that makes its entries anew each time.
            if place.entry.cookie == 0, let parent = Tree.parent(of: place.entry) {
                parent.children?.insert(place.entry)
            }
            MountTable.attach(mount, at: MountTable.topmost(place))
        }
    }

    /// Makes a file system the root of the tree, which has none yet.
    public static func mountRoot(_ fileSystem: FileSystem, source: [UInt8], _ task: borrowing TaskContext)
        -> Path
    {
        let mount = Mount(fileSystem, root: fileSystem.root, source: source, flags: [])
        MountTable.attach(mount, at: nil)
        return Path(mount: mount, entry: fileSystem.root)
    }

    /// Takes the mount whose root `path` is out of the tree. EBUSY if it is in use, unless `lazily`.
    static func unmount(_ path: Path, lazily: Bool, _ task: borrowing TaskContext) throws(Errno) {
        guard path.entry === path.mount.root else { throw .invalid }
        try withMountMutex(task) { () throws(Errno) in
            guard let place = MountTable.place(of: path.mount) else { throw .invalid }
            if lazily {
                detachAll(path.mount)
            } else {
                guard !path.mount.isBusy, MountTable.detach(path.mount) else { throw .busy }
            }
            forget(place.entry)
        }
    }

    /// Takes out a mount and those on it, topmost first.
    private static func detachAll(_ mount: Mount) {
        for child in MountTable.all.reversed() where child.parent === mount { detachAll(child) }
        _ = MountTable.detach(mount)
    }

    /// An entry that was kept because something was mounted on it.
    private static func forget(_ entry: PathEntry) {
        guard !entry.isMountPoint, let parent = Tree.parent(of: entry), !parent.inode.keepsEntries else {
            return
        }
        parent.children?.remove(entry)
    }

    private static func withMountMutex(
        _ task: borrowing TaskContext, _ body: () throws(Errno) -> Void
    ) throws(Errno) {
        MountTable.mutex.lock(task)
        defer { MountTable.mutex.unlock() }
        try body()
    }
}

extension Span where Element == UInt8 {
    /// Whether the bytes are those of `text`.
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        // A static string with a pointer representation is UTF-8 code units for its whole life.
        for index in indices where unsafe self[index] != text.utf8Start[index] { return false }
        return true
    }
}
