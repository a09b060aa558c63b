// Removing names (unlink(2), rmdir(2)).

import Primitives

extension Names {
    /// Removes a name of a file that is no directory.
    static func unlink(_ text: [UInt8], _ context: NameContext, _ task: borrowing TaskContext) throws(Errno) {
        let walk = try PathLookup.parent(of: text, context, task)
        guard walk.lastKind == .name else { throw .isDirectory }
        try withVictim(walk, task) { (directory, victim, name) throws(Errno) in
            if walk.hasTrailingSlash { throw victim.inode.kind == .directory ? .isDirectory : .notDirectory }
            try checkRemovable(victim, from: directory, context)
            guard victim.inode.kind != .directory else { throw .isDirectory }
            guard !victim.isMountPoint else { throw .busy }
            try victim.inode.withMutex(task) { () throws(Errno) in
                try directory.inode.unlink(name, victim.inode, task)
            }
            Tree.remove(victim)
        }
    }

    /// Removes an empty directory.
    static func removeDirectory(
        _ text: [UInt8], _ context: NameContext, _ task: borrowing TaskContext
    ) throws(Errno) {
        let walk = try PathLookup.parent(of: text, context, task)
        switch walk.lastKind {
        case .root: throw .busy
        case .dot: throw .invalid
        case .dotDot: throw .notEmpty
        case .name: break
        }
        try withVictim(walk, task) { (directory, victim, name) throws(Errno) in
            try checkRemovable(victim, from: directory, context)
            guard victim.inode.kind == .directory else { throw .notDirectory }
            guard !victim.isMountPoint else { throw .busy }
            try victim.inode.withMutex(task) { () throws(Errno) in
                try checkEmpty(victim)
                try directory.inode.removeDirectory(name, victim.inode, task)
                Tree.remove(victim)
            }
        }
    }

    /// Calls `body` with the directory, the entry that the walk's last part means there, and its name; the directory's mutex is held.
    private static func withVictim(
        _ walk: PathLookup, _ task: borrowing TaskContext,
        _ body: (Path, PathEntry, Span<UInt8>) throws(Errno) -> Void
    ) throws(Errno) {
        let place = walk.at
        try checkWritable(place.mount)
        try place.inode.withMutex(task) { () throws(Errno) in
            try walk.withLastName { (name) throws(Errno) in
                guard let victim = try Tree.child(of: place.entry, name, task) else { throw .noSuchFile }
                try body(place, victim, name)
            }
        }
    }

    /// Throws unless the caller may take an entry out of a directory.
    static func checkRemovable(_ victim: PathEntry, from place: Path, _ context: NameContext) throws(Errno) {
        try context.check(place.inode, [.write, .execute])
        if Permission.stickyForbids(place.inode, victim.inode, context.credentials) { throw .notPermitted }
    }

    /// Throws unless a directory, whose mutex is held, has no entries.
    static func checkEmpty(_ entry: PathEntry) throws(Errno) {
        if let children = entry.children, children.count > 0 { throw .notEmpty }
    }
}
