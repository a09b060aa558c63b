// Who may do what with a file, by owner, group and permissions (path_resolution(7), inode(7)).

enum Permission {
    /// Whether `credentials` may access a file so.
    static func allows(_ inode: Inode, _ access: FileAccess, _ credentials: Credentials) -> Bool {
        let permissions = inode.permissions
        let shift: UInt32
        if credentials.fileUserID == inode.userID {
            shift = 6
        } else if credentials.isMember(of: inode.groupID) {
            shift = 3
        } else {
            shift = 0
        }
        if FileAccess(rawValue: permissions >> shift).isSuperset(of: access) { return true }
        guard credentials.isPrivilegedForFiles else { return false }
        // A file that nobody may execute the superuser does not execute either.
        if access.contains(.execute), inode.kind != .directory {
            return permissions & FileMode.anyExecute != 0
        }
        return true
    }

    /// Whether `credentials` are the file's owner's, or privileged.
    static func owns(_ inode: Inode, _ credentials: Credentials) -> Bool {
        credentials.fileUserID == inode.userID || credentials.isPrivilegedForFiles
    }

    /// In a directory with the sticky bit only the owners of a file and of the directory may remove or rename it.
    static func stickyForbids(_ directory: Inode, _ victim: Inode, _ credentials: Credentials) -> Bool {
        guard directory.permissions & FileMode.sticky != 0 else { return false }
        return !(credentials.fileUserID == victim.userID || owns(directory, credentials))
    }
}
