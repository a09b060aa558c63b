// Changing owners, permissions, times and sizes of files that have been found: who may do what (chmod(2), chown(2),
// utimensat(2), truncate(2)).

import Primitives

extension Names {
    /// Sets the permissions of a file.
    static func setPermissions(
        _ path: Path, _ permissions: UInt32, _ credentials: Credentials, _ task: borrowing TaskContext
    ) throws(Errno) {
        try checkWritable(path.mount)
        let inode = path.inode
        try inode.withMutex(task) { () throws(Errno) in
            guard Permission.owns(inode, credentials) else { throw .notPermitted }
            guard inode.kind != .symbolicLink else { throw .notSupported }
            var change = AttributeChange()
            change.permissions = permissions & 0o7777
            if !credentials.isPrivilegedForFiles, !credentials.isMember(of: inode.groupID) {
                change.permissions = permissions & 0o7777 & ~FileMode.setGroupID
            }
            try inode.setAttributes(change, task)
        }
    }

    /// Sets the owners of a file; nil leaves one as it is.
    static func setOwners(
        _ path: Path, user: UInt32?, group: UInt32?, _ credentials: Credentials, _ task: borrowing TaskContext
    ) throws(Errno) {
        try checkWritable(path.mount)
        let inode = path.inode
        try inode.withMutex(task) { () throws(Errno) in
            let isOwner = credentials.fileUserID == inode.userID
            if !credentials.isPrivilegedForFiles {
                if let user, !isOwner || user != inode.userID { throw .notPermitted }
                if let group, !isOwner || group != inode.groupID && !credentials.isMember(of: group) {
                    throw .notPermitted
                }
            }
            var change = AttributeChange()
            change.userID = user
            change.groupID = group
            if inode.kind != .directory { change.permissions = withoutSetIdentity(inode.permissions) }
            try inode.setAttributes(change, task)
        }
    }

    /// Permissions after a change that makes set-user-ID and set-group-ID invalid.
    static func withoutSetIdentity(_ permissions: UInt32) -> UInt32 {
        var result = permissions & ~FileMode.setUserID
        if permissions & FileMode.groupExecute != 0 { result &= ~FileMode.setGroupID }
        return result
    }

    /// Sets the times of a file, in nanoseconds; nil leaves one as it is. `isNow`: both are the present time, which everybody
    /// may set who may write.
    static func setTimes(
        _ path: Path, access: Int64?, modification: Int64?, isNow: Bool, _ credentials: Credentials,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        try checkWritable(path.mount)
        let inode = path.inode
        try inode.withMutex(task) { () throws(Errno) in
            if !Permission.owns(inode, credentials) {
                guard isNow else { throw .notPermitted }
                guard Permission.allows(inode, .write, credentials) else { throw .accessDenied }
            }
            var change = AttributeChange()
            change.accessTime = access
            change.modificationTime = modification
            try inode.setAttributes(change, task)
        }
    }

    /// Sets the size of a file found by name.
    static func truncate(
        _ path: Path, to size: Int, _ context: NameContext, _ task: borrowing TaskContext
    ) throws(Errno) {
        let inode = path.inode
        guard size >= 0 else { throw .invalid }
        guard inode.kind != .directory else { throw .isDirectory }
        guard inode.kind == .regular else { throw .invalid }
        try checkWritable(path.mount)
        try context.check(inode, .write)
        try inode.beginWriting()
        defer { inode.endWriting() }
        try setSize(inode, size, context.credentials, task)
    }

    /// Sets the size of a file that may be written to.
    static func setSize(
        _ inode: Inode, _ size: Int, _ credentials: Credentials, _ task: borrowing TaskContext
    ) throws(Errno) {
        try inode.withMutex(task) { () throws(Errno) in
            try inode.truncate(to: size, task)
            dropSetIdentity(inode, credentials)
        }
    }

    /// A file that somebody changes who is not privileged loses its set-user-ID and set-group-ID bits. The mutex is held.
    @inline(__always)
    static func dropSetIdentity(_ inode: Inode, _ credentials: Credentials) {
        let permissions = inode.permissions
        guard permissions & (FileMode.setUserID | FileMode.setGroupID) != 0, !credentials.isPrivilegedForFiles
        else { return }
        inode.permissions = withoutSetIdentity(permissions)
    }
}
