// Opening, and making a file that is not there (open(2)).

import Primitives

extension Names {
    /// Opens a file, and makes it first if the flags say so; `permissions` are the new file's.
    public static func open(
        _ text: [UInt8], _ flags: OpenFlags, permissions: UInt32, _ context: NameContext,
        _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        var lookup: LookupFlags = flags.contains(.noFollow) ? [] : .follow
        if flags.contains(.directory) { lookup.insert(.directory) }
        if flags.contains(.path) {
            let path = try find(text, lookup, context, task)
            return PathFile(path.inode, path, flags)
        }
        if flags.contains(.temporary) { return try openUnnamed(text, flags, permissions, context, task) }
        guard flags.contains(.create) else {
            return try open(try find(text, lookup, context, task), flags, context, task)
        }
        guard !flags.contains(.directory) else { throw .invalid }
        guard !text.isEmpty else { throw .noSuchFile }
        return try openOrMake(text, flags, permissions, context, task)
    }

    private static func openOrMake(
        _ text: [UInt8], _ flags: OpenFlags, _ permissions: UInt32, _ context: NameContext,
        _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        var walk = PathLookup(text, context)
        nextText: while true {
            try walk.toParent(task)
            guard walk.lastKind == .name, !walk.hasTrailingSlash else { throw .isDirectory }
            while true {
                guard let found = try walk.child(task) else {
                    guard let file = try makeAndOpen(walk, flags, permissions, task) else { continue }
                    return file
                }
                guard !flags.contains(.exclusive) else { throw .exists }
                guard found.inode.kind == .symbolicLink else { return try open(found, flags, context, task) }
                guard !flags.contains(.noFollow) else { throw .symbolicLinkLoop }
                guard try walk.followLast(found, task) else { continue nextText }
                return try open(walk.at, flags, context, task)
            }
        }
    }

    /// Makes a regular file and opens it; nil if somebody else was faster.
    private static func makeAndOpen(
        _ walk: PathLookup, _ flags: OpenFlags, _ permissions: UInt32, _ task: borrowing TaskContext
    ) throws(Errno) -> File? {
        do throws(Errno) {
            let path = try make(walk, isDirectory: false, task) { (directory, name) throws(Errno) in
                let (mode, owner) = ownership(
                    of: FileMode(.regular, permissions), in: directory, walk.context)
                return try directory.create(name, mode: mode, device: .none, owner: owner, task)
            }
            return try finish(path, flags, task)
        } catch {
            guard error == .exists, !flags.contains(.exclusive) else { throw error }
            return nil
        }
    }

    /// A file without a name in a directory's file system (O_TMPFILE).
    private static func openUnnamed(
        _ text: [UInt8], _ flags: OpenFlags, _ permissions: UInt32, _ context: NameContext,
        _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        guard flags.contains(.directory), flags.neededAccess.contains(.write) else { throw .invalid }
        let place = try find(text, [.follow, .directory], context, task)
        try checkWritable(place.mount)
        try context.check(place.inode, [.write, .execute])
        let (mode, owner) = ownership(of: FileMode(.regular, permissions), in: place.inode, context)
        let inode = try place.inode.createUnnamed(mode: mode, owner: owner, task)
        let entry = PathEntry(
            name: [UInt8(ascii: "#")] + decimal(inode.number), parent: place.entry, inode: inode)
        entry.isRemoved = true
        return try finish(Path(mount: place.mount, entry: entry), flags, task)
    }

    /// Opens a file that is there, having checked that the caller may.
    static func open(
        _ path: Path, _ flags: OpenFlags, _ context: NameContext, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        let inode = path.inode
        let access = flags.neededAccess
        switch inode.kind {
        case .symbolicLink: throw .symbolicLinkLoop
        case .directory:
            guard !access.contains(.write), !flags.contains(.create) else { throw .isDirectory }
        case .regular:
            if access.contains(.write) { try checkWritable(path.mount) }
        case .characterDevice, .blockDevice:
            guard !path.mount.flags.contains(.noDevices) else { throw .accessDenied }
        case .fifo, .socket, .anonymous: break
        }
        try context.check(inode, access)
        if flags.contains(.noAccessTime), !Permission.owns(inode, context.credentials) { throw .notPermitted }
        let file = try finish(path, flags, task)
        if flags.contains(.truncate), inode.kind == .regular {
            try inode.withMutex(task) { () throws(Errno) in try inode.truncate(to: 0, task) }
        }
        return file
    }

    /// Opens without checks; a regular file that is written to cannot be executed meanwhile.
    private static func finish(
        _ path: Path, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        let inode = path.inode
        guard inode.kind == .regular, flags.neededAccess.contains(.write) else {
            return try inode.open(path, flags, task)
        }
        try inode.beginWriting()
        do throws(Errno) {
            let file = try inode.open(path, flags, task)
            // From here on the file ends it.
            file.countsAsWriter = true
            return file
        } catch {
            inode.endWriting()
            throw error
        }
    }

    /// A number in decimal digits.
    static func decimal(_ number: UInt64) -> [UInt8] {
        var digits: [UInt8] = []
        var rest = number
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        digits.reverse()
        return digits
    }
}

/// A file opened with O_PATH: a place in the tree and nothing else.
final class PathFile: File, @unchecked Sendable {
    override var isSeekable: Bool { false }
}
