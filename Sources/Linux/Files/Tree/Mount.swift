// A file system put into the tree: on which directory, and with which flags.
//
// Invariants: fileSystem and root never change. parent, mountPoint and isAttached are changed and read
// under `MountTable`'s lock.

import Primitives
import Synchronization

/// A place where a file system (or a part of one) is visible.
public final class Mount: @unchecked Sendable {
    /// Number that `/proc/PID/mountinfo` shows.
    public let identifier: UInt32
    public let fileSystem: FileSystem
    /// What is visible at the mount point.
    public let root: PathEntry
    /// The first word of its line in `/proc/mounts`.
    public let source: [UInt8]
    /// The mount that this one is on; nil for the root of the tree.
    var parent: Mount?
    /// The entry, in `parent`, that this one covers.
    var mountPoint: PathEntry?
    /// Mounts on entries of this one.
    var childCount = 0
    /// Next in the chain of `MountTable`.
    var nextInBucket: Mount?
    /// In the tree; false once unmounted, even while files in it are open.
    var isAttached = false
    private let flagBits: Atomic<UInt32>
    /// Open files and root and working directories in it.
    private let pins = Atomic<Int>(0)

    /// Where files are that are in no tree.
    static let nowhere = Mount(
        PipeFileSystem.shared,
        root: PathEntry(name: [], parent: nil, inode: NowhereInode(PipeFileSystem.shared)),
        source: [], flags: [])

    private static let identifiers = Atomic<UInt32>(1)

    init(_ fileSystem: FileSystem, root: PathEntry, source: [UInt8], flags: MountFlags) {
        self.fileSystem = fileSystem
        self.root = root
        self.source = source
        flagBits = Atomic(flags.intersection(.kept).rawValue)
        fileSystem.mountCame()
        identifier = Self.identifiers.wrappingAdd(1, ordering: .relaxed).oldValue
    }

    /// The last mount of a file system takes its contents with it.
    deinit { fileSystem.mountWentAway() }

    /// One more open file, root or working directory in it.
    func pin() { pins.wrappingAdd(1, ordering: .relaxed) }
    func unpin() { pins.wrappingSubtract(1, ordering: .relaxed) }

    /// Somebody uses it.
    var isBusy: Bool { pins.load(ordering: .relaxed) > 0 }

    public internal(set) var flags: MountFlags {
        get { MountFlags(rawValue: flagBits.load(ordering: .relaxed)) }
        set { flagBits.store(newValue.rawValue, ordering: .relaxed) }
    }

    var isReadOnly: Bool { flags.contains(.readOnly) }
}

/// Flags of mount(2) (linux/mount.h).
public struct MountFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readOnly = MountFlags(rawValue: 1)
    public static let noSetUserID = MountFlags(rawValue: 2)
    public static let noDevices = MountFlags(rawValue: 4)
    public static let noExecution = MountFlags(rawValue: 8)
    public static let synchronous = MountFlags(rawValue: 16)
    public static let remount = MountFlags(rawValue: 32)
    public static let noAccessTime = MountFlags(rawValue: 1024)
    public static let noDirectoryAccessTime = MountFlags(rawValue: 2048)
    public static let bind = MountFlags(rawValue: 4096)
    public static let move = MountFlags(rawValue: 8192)
    public static let recursive = MountFlags(rawValue: 16384)
    public static let silent = MountFlags(rawValue: 32768)
    public static let relativeAccessTime = MountFlags(rawValue: 1 << 21)
    public static let strictAccessTime = MountFlags(rawValue: 1 << 24)

    /// What stays with the mount.
    public static let kept: MountFlags = [
        .readOnly, .noSetUserID, .noDevices, .noExecution, .synchronous, .noAccessTime,
        .noDirectoryAccessTime,
        .relativeAccessTime, .strictAccessTime,
    ]
    /// Changes of propagation (MS_UNBINDABLE, PRIVATE, SLAVE, SHARED): there is one name space, so they change nothing.
    static let propagation = MountFlags(rawValue: 0xf << 17)
}

/// The root of what is mounted nowhere.
private final class NowhereInode: Inode, @unchecked Sendable {
    init(_ fileSystem: FileSystem) {
        super.init(fileSystem, number: 0, mode: FileMode(.directory, 0o700))
    }
}
