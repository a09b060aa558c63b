// Operations on names: opening, making, removing, renaming. System calls are thin layers over these, and the
// kernel itself uses them to fill the root file system.
//
// Each takes a walk to the directory of the name and then does its work with that directory's mutex
// held, looking the name up again under it. Checks come in Linux's order, so that the same mistake gives the same error.

import Primitives
import Tasks

/// Operations on names.
public enum Names {
    /// What a name means.
    static func find(
        _ text: [UInt8], _ flags: LookupFlags, _ context: NameContext, _ task: borrowing TaskContext
    ) throws(Errno) -> Path {
        try PathLookup.find(text, flags, context, task)
    }

    /// EROFS unless files seen through this mount may be changed.
    static func checkWritable(_ mount: Mount) throws(Errno) {
        guard !mount.isReadOnly else { throw .readOnly }
    }

    // MARK: Making

    /// Makes a file, directory, device node, FIFO or socket.
    @inline(never)
    static func makeNode(
        _ text: [UInt8], mode: FileMode, device: DeviceNumber, _ context: NameContext,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Path {
        let walk = try PathLookup.parent(of: text, context, task)
        return try make(walk, isDirectory: mode.kind == .directory, task) { (directory, name) throws(Errno) in
            let (mode, owner) = ownership(of: mode, in: directory, context)
            return try directory.create(name, mode: mode, device: device, owner: owner, task)
        }
    }

    /// Makes a symbolic link.
    @inline(never)
    static func makeSymbolicLink(
        _ text: [UInt8], to target: [UInt8], _ context: NameContext, _ task: borrowing TaskContext
    ) throws(Errno) -> Path {
        let walk = try PathLookup.parent(of: text, context, task)
        return try make(walk, isDirectory: false, task) { (directory, name) throws(Errno) in
            let (_, owner) = ownership(of: FileMode(.symbolicLink, 0o777), in: directory, context)
            return try directory.createSymbolicLink(name, target: target, owner: owner, task)
        }
    }

    /// Makes a second name for a file.
    @inline(never)
    static func makeLink(
        to old: Path, _ text: [UInt8], _ context: NameContext, _ task: borrowing TaskContext
    ) throws(Errno) {
        let walk = try PathLookup.parent(of: text, context, task)
        guard old.mount === walk.at.mount else { throw .crossDevice }
        _ = try make(walk, isDirectory: false, task) { (directory, name) throws(Errno) in
            guard old.inode.kind != .directory else { throw .notPermitted }
            return try old.inode.withMutex(task) { () throws(Errno) in
                guard old.inode.links > 0 else { throw .noSuchFile }
                try directory.link(name, to: old.inode, task)
                return old.inode
            }
        }
    }

    /// Makes the last part of a walk: `body` makes the inode, with the directory's mutex held.
    @inline(never)
    static func make(
        _ walk: PathLookup, isDirectory: Bool, _ task: borrowing TaskContext,
        _ body: (Inode, Span<UInt8>) throws(Errno) -> Inode
    ) throws(Errno) -> Path {
        guard walk.lastKind == .name else { throw .exists }
        let place = walk.at
        return try place.inode.withMutex(task) { () throws(Errno) in
            try walk.withLastName { (name) throws(Errno) in
                if try Tree.child(of: place.entry, name, task) != nil { throw .exists }
                guard isDirectory || !walk.hasTrailingSlash else { throw .noSuchFile }
                try checkWritable(place.mount)
                guard !place.entry.isRemoved else { throw .noSuchFile }
                try walk.context.check(place.inode, [.write, .execute])
                let inode = try body(place.inode, name)
                let entry =
                    place.inode.keepsEntries
                    ? Tree.add(name, to: place.entry, inode)
                    : PathEntry(name: name.bytes, parent: place.entry, inode: inode)
                return Path(mount: place.mount, entry: entry)
            }
        }
    }

    /// The mode and owner of a new file: without the umask's permissions, of the directory's group if that says so.
    static func ownership(
        of mode: FileMode, in directory: Inode, _ context: NameContext
    ) -> (FileMode, FileOwner) {
        let credentials = context.credentials
        var mode = mode
        if mode.kind != .symbolicLink { mode.bits &= ~(context.umask & 0o777) }
        var owner = FileOwner(userID: credentials.fileUserID, groupID: credentials.fileGroupID)
        guard directory.permissions & FileMode.setGroupID != 0 else { return (mode, owner) }
        owner.groupID = directory.groupID
        if mode.kind == .directory {
            mode.bits |= FileMode.setGroupID
        } else if mode.bits & FileMode.groupExecute != 0, !credentials.isPrivilegedForFiles,
            !credentials.isMember(of: owner.groupID)
        {
            mode.bits &= ~FileMode.setGroupID
        }
        return (mode, owner)
    }
}
