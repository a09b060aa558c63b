// Renaming (rename(2)).

import Primitives
import Tasks

/// Flags of renameat2(2).
struct RenameFlags: OptionSet {
    let rawValue: UInt32
    static let noReplace = RenameFlags(rawValue: 1)
    static let exchange = RenameFlags(rawValue: 2)
}

extension Names {
    /// A rename under way.
    private struct Rename {
        let old: PathLookup
        let new: PathLookup
        let flags: RenameFlags
        var exchange: Bool { flags.contains(.exchange) }
    }

    /// Gives a file another name, in the place of one that has it or exchanging the two.
    static func rename(
        _ oldText: [UInt8], _ oldContext: NameContext, to newText: [UInt8], _ newContext: NameContext,
        _ flags: RenameFlags, _ task: borrowing TaskContext
    ) throws(Errno) {
        let old = try PathLookup.parent(of: oldText, oldContext, task)
        let new = try PathLookup.parent(of: newText, newContext, task)
        guard old.at.mount === new.at.mount else { throw .crossDevice }
        guard old.lastKind == .name else { throw .busy }
        guard new.lastKind == .name else { throw flags.contains(.noReplace) ? .exists : .busy }
        try checkWritable(old.at.mount)
        let rename = Rename(old: old, new: new, flags: flags)
        try withMutexes(old.at.entry, new.at.entry, task) { () throws(Errno) in
            try old.withLastName { (oldName) throws(Errno) in
                try new.withLastName { (newName) throws(Errno) in
                    try renameLocked(rename, oldName, newName, task)
                }
            }
        }
    }

    /// Runs `body` with the mutexes of both directories held, the one above the other first.
    private static func withMutexes(
        _ a: PathEntry, _ b: PathEntry, _ task: borrowing TaskContext, _ body: () throws(Errno) -> Void
    ) throws(Errno) {
        if a.inode === b.inode { return try a.inode.withMutex(task, body) }
        Tree.renameMutex.lock(task)
        defer { Tree.renameMutex.unlock() }
        // The tree of directories stands still now, and nobody else takes two that are not above each other.
        let (first, second) = Tree.isAncestor(b, of: a) ? (b, a) : (a, b)
        try first.inode.withMutex(task) { () throws(Errno) in try second.inode.withMutex(task, body) }
    }

    private static func renameLocked(
        _ rename: Rename, _ oldName: Span<UInt8>, _ newName: Span<UInt8>, _ task: borrowing TaskContext
    ) throws(Errno) {
        let (from, to) = (rename.old.at, rename.new.at)
        guard let entry = try Tree.child(of: from.entry, oldName, task) else { throw .noSuchFile }
        let target = try Tree.child(of: to.entry, newName, task)
        if target != nil, rename.flags.contains(.noReplace) { throw .exists }
        if target == nil, rename.exchange { throw .noSuchFile }
        try checkSlashes(rename, entry, target)
        if Tree.isAncestor(entry, of: to.entry) { throw .invalid }
        if let target, Tree.isAncestor(target, of: from.entry) {
            throw rename.exchange ? .invalid : .notEmpty
        }
        if let target, target.inode === entry.inode { return }
        try checkPermissions(rename, entry, target)
        guard !entry.isMountPoint, target?.isMountPoint != true else { throw .busy }
        guard let target, target.inode.kind == .directory, !rename.exchange else {
            return try finish(rename, entry, target, oldName, newName, task)
        }
        try target.inode.withMutex(task) { () throws(Errno) in
            try checkEmpty(target)
            try finish(rename, entry, target, oldName, newName, task)
        }
    }

    /// A slash at the end of a name is for directories.
    private static func checkSlashes(
        _ rename: Rename, _ entry: PathEntry, _ target: PathEntry?
    ) throws(Errno) {
        if entry.inode.kind != .directory {
            if rename.old.hasTrailingSlash { throw .notDirectory }
            if !rename.exchange, rename.new.hasTrailingSlash { throw .notDirectory }
        }
        if rename.exchange, target?.inode.kind != .directory, rename.new.hasTrailingSlash {
            throw .notDirectory
        }
    }

    private static func checkPermissions(
        _ rename: Rename, _ entry: PathEntry, _ target: PathEntry?
    ) throws(Errno) {
        let (from, to) = (rename.old.at, rename.new.at)
        try checkRemovable(entry, from: from, rename.old.context)
        guard !to.entry.isRemoved else { throw .noSuchFile }
        let isDirectory = entry.inode.kind == .directory
        if let target {
            try checkRemovable(target, from: to, rename.new.context)
            if !rename.exchange {
                if isDirectory, target.inode.kind != .directory { throw .notDirectory }
                if !isDirectory, target.inode.kind == .directory { throw .isDirectory }
            }
        } else {
            try rename.new.context.check(to.inode, [.write, .execute])
        }
        // A directory that moves gets another `..`, which is a change of it.
        guard from.inode !== to.inode else { return }
        if isDirectory { try rename.old.context.check(entry.inode, .write) }
        if rename.exchange, let target, target.inode.kind == .directory {
            try rename.new.context.check(target.inode, .write)
        }
    }

    private static func finish(
        _ rename: Rename, _ entry: PathEntry, _ target: PathEntry?, _ oldName: Span<UInt8>,
        _ newName: Span<UInt8>,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        let (from, to) = (rename.old.at, rename.new.at)
        try from.inode.rename(
            oldName, entry.inode, to: to.inode, newName, replacing: target?.inode, exchange: rename.exchange,
            task)
        Tree.move(entry, to: to.entry, newName, replacing: target, exchange: rename.exchange)
    }
}
