// A name in the tree of files and what it leads to: what Linux calls a dentry.
//
// Invariants:
//  - inode and number of the entry never change.
//  - parent and name are read and changed under `Tree.links` (a rename changes both), except by
//    whoever holds the mutex of the parent directory, under which they cannot change.
//  - An entry in its parent's child table is linked; once removed it never comes back.

import Primitives
import Synchronization

/// A name in a directory.
public final class PathEntry: @unchecked Sendable {
    public let inode: Inode
    /// The directory it is in; nil for the root of a file system and for files without a place in the tree.
    var parent: PathEntry?
    var name: [UInt8]
    /// Hash of the name within its directory.
    var hash: UInt32
    /// Entries of this directory that are kept; nil for other files.
    let children: ChildTable?
    /// Next in the same bucket of the parent's table; touched under that table's lock.
    var nextInBucket: PathEntry?
    /// Place in the order of the parent's entries, the position getdents64 reports; 0 while not linked.
    var cookie: UInt = 0
    /// How many mounts are on this entry.
    let mountCount = Atomic<UInt32>(0)
    /// Removed, or for a directory no longer able to take new entries.
    private let removed = Atomic<Bool>(false)

    /// An entry named `name` in `parent`, not yet in its table.
    init(name: [UInt8], parent: PathEntry?, inode: Inode) {
        self.name = name
        self.parent = parent
        self.inode = inode
        hash = NameHash.of(name.span)
        children = inode.kind == .directory ? ChildTable() : nil
    }

    /// The topmost entry of a file system.
    public convenience init(root inode: Inode) { self.init(name: [], parent: nil, inode: inode) }

    /// Removed from its directory.
    var isRemoved: Bool {
        get { removed.load(ordering: .relaxed) }
        set { removed.store(newValue, ordering: .relaxed) }
    }

    var isMountPoint: Bool { mountCount.load(ordering: .relaxed) != 0 }

    /// Takes all entries below out of the tree, level by level without recursion. The file system is going away.
    func dissolve() {
        var here = self
        while true {
            if let below = here.children?.next(from: 0) {
                here = below
                continue
            }
            guard here !== self, let above = here.parent else { return }
            here.isRemoved = true
            above.children?.remove(here)
            here = above
        }
    }

    /// The chain of parents goes away one by one, not by recursion: it may be thousands long.
    deinit {
        var next = parent
        parent = nil
        while next != nil, isKnownUniquelyReferenced(&next) {
            let above = next?.parent
            next?.parent = nil
            next = above
        }
    }
}
