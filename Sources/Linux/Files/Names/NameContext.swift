// What a look-up of a name begins with, and in whose name it happens.

import Primitives

/// Where names begin and who asks. A snapshot: what other threads of the process change meanwhile does not matter.
public struct NameContext {
    /// Where names that begin with a slash begin, and `..` ends.
    public let root: Path
    /// Where other names begin.
    public let start: Path
    public let credentials: Credentials
    /// Permissions that new files do not get.
    public let umask: UInt32

    public init(root: Path, start: Path, credentials: Credentials, umask: UInt32) {
        self.root = root
        self.start = start
        self.credentials = credentials
        self.umask = umask
    }

    /// The kernel itself, at the root of the tree.
    public static func kernel(_ root: Path) -> NameContext {
        NameContext(root: root, start: root, credentials: Credentials(), umask: 0)
    }

    /// Throws EACCES unless `access` is allowed.
    @inline(__always)
    func check(_ inode: Inode, _ access: FileAccess) throws(Errno) {
        guard Permission.allows(inode, access, credentials) else { throw .accessDenied }
    }
}
