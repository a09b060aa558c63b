// Files that live in memory and nowhere else (tmpfs(5)): the root file system, `/tmp`, `/dev/shm`, and the device
// nodes in `/dev`.
//
// The tree of entries is the directory: every name is a `PathEntry` that its directory's table keeps. What this
// file system adds is accounting: of inodes (each name counts as one, since each costs kernel memory) and of pages.

import Memory
import Primitives
import Synchronization

public final class RAMFileSystem: FileSystem, @unchecked Sendable {
    /// Limits and how files look by default.
    public struct Options: Sendable {
        /// Pages that files may have.
        public var pageLimit: Int
        /// Names that there may be.
        public var nodeLimit: Int
        public var rootPermissions: UInt32 = 0o1777
        public var userID: UInt32 = 0
        public var groupID: UInt32 = 0

        /// Half of the memory, and as many names as that has pages.
        public init() {
            pageLimit = Frames.totalCount / 2
            nodeLimit = pageLimit
        }
    }

    static let magic = 0x0102_1994

    private let pageLimit: Atomic<Int>
    private let nodeLimit: Atomic<Int>
    private let pages = Atomic<Int>(0)
    private let nodes = Atomic<Int>(0)
    private let numbers = Atomic<UInt64>(1)
    private let permanent: Bool

    /// An empty file system. A permanent one keeps its files when it is not mounted.
    public init(_ options: Options, typeName: StaticString = "tmpfs", isPermanent: Bool = false) {
        pageLimit = Atomic(options.pageLimit)
        nodeLimit = Atomic(options.nodeLimit)
        permanent = isPermanent
        super.init(typeName: typeName)
        let mode = FileMode(.directory, options.rootPermissions)
        let owner = FileOwner(userID: options.userID, groupID: options.groupID)
        nodes.wrappingAdd(1, ordering: .relaxed)
        root = PathEntry(root: RAMDirectory(self, mode: mode, owner: owner))
    }

    override public var isPermanent: Bool { permanent }

    override public func statistics(_ task: borrowing TaskContext) throws(Errno) -> FileSystemStatistics {
        var result = FileSystemStatistics()
        result.magic = Self.magic
        result.blocks = UInt64(pageLimit.load(ordering: .relaxed))
        result.freeBlocks = UInt64(
            max(pageLimit.load(ordering: .relaxed) - pages.load(ordering: .relaxed), 0))
        result.files = UInt64(nodeLimit.load(ordering: .relaxed))
        result.freeFiles = UInt64(max(nodeLimit.load(ordering: .relaxed) - nodes.load(ordering: .relaxed), 0))
        return result
    }

    /// Changes the limits; not below what is in use.
    override public func reconfigure(_ data: [UInt8]) throws(Errno) {
        var options = Options()
        options.pageLimit = pageLimit.load(ordering: .relaxed)
        options.nodeLimit = nodeLimit.load(ordering: .relaxed)
        try options.parse(data)
        guard options.pageLimit >= pages.load(ordering: .relaxed),
            options.nodeLimit >= nodes.load(ordering: .relaxed)
        else { throw .invalid }
        pageLimit.store(options.pageLimit, ordering: .relaxed)
        nodeLimit.store(options.nodeLimit, ordering: .relaxed)
    }

    // MARK: Accounting

    /// A number for a new inode.
    func nextNumber() -> UInt64 { numbers.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// Counts one name more; ENOSPC at the limit, ENOMEM where the kernel's memory is short.
    func reserveNode() throws(Errno) {
        guard Frames.userMayAllocate else { throw .noMemory }
        if nodes.wrappingAdd(1, ordering: .relaxed).newValue > nodeLimit.load(ordering: .relaxed) {
            releaseNode()
            throw .noSpace
        }
    }

    /// Counts one name less.
    func releaseNode() { nodes.wrappingSubtract(1, ordering: .relaxed) }

    /// Whether a file may get one page more.
    @inline(__always)
    var hasRoom: Bool { pages.load(ordering: .relaxed) < pageLimit.load(ordering: .relaxed) }

    /// A file has so many pages more (or, below zero, less).
    @inline(__always)
    func countPages(_ difference: Int) { pages.wrappingAdd(difference, ordering: .relaxed) }
}
