// A place in the tree that a process sees: an entry, and the mount through which it was reached.

/// A place in the tree.
public struct Path: Equatable {
    public let mount: Mount
    public let entry: PathEntry

    public init(mount: Mount, entry: PathEntry) {
        self.mount = mount
        self.entry = entry
    }

    @inline(__always)
    public var inode: Inode { entry.inode }

    public static func == (a: Path, b: Path) -> Bool { a.entry === b.entry && a.mount === b.mount }
}
