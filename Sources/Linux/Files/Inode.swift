// A file as the file system knows it, without a name: kind, owner, permissions, times and, through
// what subclasses override, contents.
//
// Invariants:
//  - number, kind, deviceNumber and fileSystem never change.
//  - The other attributes are single words, read without a lock; whoever changes several holds
//    the inode's mutex, so that changes do not interleave. stat may see half of a change.
//  - Methods that take a task may sleep. Those that change a directory are called with that
//    directory's mutex held (and the victim's, where a directory goes away).

import Memory
import Primitives
import Synchronization
import Tasks

/// Base of all kinds of files. What a kind does not override fails as Linux fails it.
public class Inode: @unchecked Sendable {
    /// Number within the file system.
    public let number: UInt64
    public let kind: FileKind
    /// Which device a device node stands for.
    public let deviceNumber: DeviceNumber
    public let fileSystem: FileSystem

    /// Held by who changes a directory's entries or a file's size and attributes. A directory's comes before
    /// those of what is in it; `Tree.renameMutex` before all.
    private let mutex = RawMutex()
    /// Open files that write, or, below zero, programs running from the file.
    private let writers = Atomic<Int32>(0)
    /// Advisory locks, once there were any. Task context.
    let lockList = SpinLock<FileLocks?>(nil)
    let hasLocks = Atomic<Bool>(false)
    private let permissionBits: Atomic<UInt32>
    /// User in the low half, group in the high half: always changed together.
    private let owners: Atomic<UInt64>
    private let linkCount: Atomic<UInt32>
    private let accessTimeStamp: Atomic<Int64>
    private let modificationTimeStamp: Atomic<Int64>
    private let changeTimeStamp: Atomic<Int64>

    public init(
        _ fileSystem: FileSystem, number: UInt64, mode: FileMode, userID: UInt32 = 0, groupID: UInt32 = 0,
        device: DeviceNumber = .none, links: UInt32 = 1, time: Int64 = FileClock.now
    ) {
        self.fileSystem = fileSystem
        self.number = number
        kind = mode.kind ?? .anonymous
        deviceNumber = device
        permissionBits = Atomic(mode.permissions)
        owners = Atomic(UInt64(groupID) << 32 | UInt64(userID))
        linkCount = Atomic(links)
        accessTimeStamp = Atomic(time)
        modificationTimeStamp = Atomic(time)
        changeTimeStamp = Atomic(time)
    }

    /// Runs `body` with the inode's mutex held.
    @inline(__always)
    public final func withMutex<R>(
        _ task: borrowing TaskContext, _ body: () throws(Errno) -> R
    ) throws(Errno) -> R {
        mutex.lock(task)
        defer { mutex.unlock() }
        return try body()
    }

    // MARK: Writing and executing exclude each other

    /// One more writer; ETXTBSY while a program runs from the file.
    public final func beginWriting() throws(Errno) {
        guard change(writers: 1, unless: { $0 < 0 }) else { throw .textBusy }
    }

    /// One writer less.
    public final func endWriting() { writers.wrappingSubtract(1, ordering: .relaxed) }

    /// One more program that runs from the file; ETXTBSY while somebody has it open for writing.
    public final func beginExecuting() throws(Errno) {
        guard change(writers: -1, unless: { $0 > 0 }) else { throw .textBusy }
    }

    /// One program less.
    public final func endExecuting() { writers.wrappingAdd(1, ordering: .relaxed) }

    private func change(writers difference: Int32, unless forbidden: (Int32) -> Bool) -> Bool {
        var now = writers.load(ordering: .relaxed)
        while !forbidden(now) {
            let (done, original) = writers.compareExchange(
                expected: now, desired: now &+ difference, ordering: .relaxed)
            if done { return true }
            now = original
        }
        return false
    }

    // MARK: Attributes

    /// Permissions with set-user-ID, set-group-ID and sticky bits.
    @inline(__always)
    public final var permissions: UInt32 {
        get { permissionBits.load(ordering: .relaxed) }
        set { permissionBits.store(newValue & 0o7777, ordering: .relaxed) }
    }

    @inline(__always)
    public final var mode: FileMode { FileMode(kind, permissions) }

    @inline(__always)
    public final var userID: UInt32 { UInt32(truncatingIfNeeded: owners.load(ordering: .relaxed)) }

    @inline(__always)
    public final var groupID: UInt32 { UInt32(truncatingIfNeeded: owners.load(ordering: .relaxed) >> 32) }

    public final func setOwners(user: UInt32, group: UInt32) {
        owners.store(UInt64(group) << 32 | UInt64(user), ordering: .relaxed)
    }

    /// Names that point here.
    public final var links: UInt32 {
        get { linkCount.load(ordering: .relaxed) }
        set { linkCount.store(newValue, ordering: .relaxed) }
    }

    /// Nanoseconds since 1970.
    public final var accessTime: Int64 {
        get { accessTimeStamp.load(ordering: .relaxed) }
        set { accessTimeStamp.store(newValue, ordering: .relaxed) }
    }

    public final var modificationTime: Int64 {
        get { modificationTimeStamp.load(ordering: .relaxed) }
        set { modificationTimeStamp.store(newValue, ordering: .relaxed) }
    }

    public final var changeTime: Int64 {
        get { changeTimeStamp.load(ordering: .relaxed) }
        set { changeTimeStamp.store(newValue, ordering: .relaxed) }
    }

    /// Contents or entries changed.
    public final func touchModified() {
        let now = FileClock.now
        modificationTime = now
        changeTime = now
    }

    /// Bytes; for a symbolic link the length of its target.
    public var size: Int { 0 }

    /// See `Seal`. Changed with the mutex held or before anybody else knows the inode.
    var sealBits: UInt32 {
        get { 0 }
        set {}
    }

    /// What a mapping of the file maps; nil for what cannot be mapped.
    public var memoryObject: MemoryObject? { nil }

    /// Memory or disk used, in units of 512 bytes.
    public var blocks: Int { 0 }

    /// What stat(2) shows; overridden where the attributes kept here are not the truth.
    public func statistics(_ task: borrowing TaskContext) throws(Errno) -> FileStatistics {
        var result = FileStatistics()
        result.number = number
        result.mode = mode
        result.userID = userID
        result.groupID = groupID
        result.links = links
        result.device = fileSystem.device
        result.deviceNumber = deviceNumber
        result.size = size
        result.blocks = blocks
        result.blockSize = fileSystem.blockSize
        result.accessTime = accessTime
        result.modificationTime = modificationTime
        result.changeTime = changeTime
        return result
    }

    /// Sets permissions, owners and times (chmod, chown, utimensat). The caller has checked the right
    /// to do so; file systems whose attributes are made up refuse.
    public func setAttributes(_ change: AttributeChange, _ task: borrowing TaskContext) throws(Errno) {
        if let permissions = change.permissions { self.permissions = permissions }
        if change.userID != nil || change.groupID != nil {
            setOwners(user: change.userID ?? userID, group: change.groupID ?? groupID)
        }
        if let time = change.accessTime { accessTime = time }
        if let time = change.modificationTime { modificationTime = time }
        changeTime = FileClock.now
    }

    // MARK: Directories

    /// Every name is in the tree of `PathEntry` objects: one that is not there does not exist. Where it is
    /// false, `lookup` is asked each time and what it finds is not kept.
    public var keepsEntries: Bool { false }

    /// Finds `name` in this directory.
    public func lookup(_ name: Span<UInt8>, _ task: borrowing TaskContext) throws(Errno) -> Inode {
        throw .noSuchFile
    }

    /// Makes a file, directory, device node, FIFO or socket named `name`; `mode` says which. The name
    /// is not there yet.
    public func create(
        _ name: Span<UInt8>, mode: FileMode, device: DeviceNumber, owner: FileOwner,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Inode { throw .notPermitted }

    /// Makes a regular file without a name.
    public func createUnnamed(
        mode: FileMode, owner: FileOwner, _ task: borrowing TaskContext
    ) throws(Errno) -> Inode { throw .notSupported }

    /// Makes a symbolic link named `name` to `target`.
    public func createSymbolicLink(
        _ name: Span<UInt8>, target: [UInt8], owner: FileOwner, _ task: borrowing TaskContext
    ) throws(Errno) -> Inode { throw .notPermitted }

    /// Makes `name` another name of `inode`, which is no directory.
    public func link(_ name: Span<UInt8>, to inode: Inode, _ task: borrowing TaskContext) throws(Errno) {
        throw .notPermitted
    }

    /// Removes `name`, which is `inode`, no directory.
    public func unlink(_ name: Span<UInt8>, _ inode: Inode, _ task: borrowing TaskContext) throws(Errno) {
        throw .notPermitted
    }

    /// Removes `name`, which is `inode`, a directory that the tree of entries knows to be empty.
    public func removeDirectory(_ name: Span<UInt8>, _ inode: Inode, _ task: borrowing TaskContext)
        throws(Errno)
    {
        throw .notPermitted
    }

    /// Moves `name`, which is `inode`, from this directory to `newName` in `newDirectory` of the same
    /// file system, in place of `replaced`; with `exchange` that one takes the old place.
    public func rename(
        _ name: Span<UInt8>, _ inode: Inode, to newDirectory: Inode, _ newName: Span<UInt8>,
        replacing replaced: Inode?,
        exchange: Bool, _ task: borrowing TaskContext
    ) throws(Errno) { throw .notPermitted }

    // MARK: Contents

    /// Where a symbolic link leads.
    public func readLink(_ task: borrowing TaskContext) throws(Errno) -> LinkTarget { throw .invalid }

    /// Cuts or lengthens the contents. The inode's mutex is held.
    public func truncate(to size: Int, _ task: borrowing TaskContext) throws(Errno) { throw .invalid }

    /// Opens: permissions have been checked. `path` is where it was found, nil for files without a name.
    /// Here: device nodes and FIFOs, which work the same in every file system.
    public func open(_ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext) throws(Errno) -> File {
        switch kind {
        case .characterDevice, .blockDevice: return try DeviceRegistry.open(self, path, flags, task)
        case .fifo: return try openFIFO(path, flags, task)
        default: throw .noSuchDevice
        }
    }

    /// The pipe behind a FIFO.
    var pipe: Pipe? { nil }
}

/// What chmod, chown and utimensat change; nil parts stay.
public struct AttributeChange: Sendable {
    public var permissions: UInt32?
    public var userID: UInt32?
    public var groupID: UInt32?
    public var accessTime: Int64?
    public var modificationTime: Int64?

    public init() {}
}

/// Who a new file belongs to.
public struct FileOwner: Sendable {
    public var userID: UInt32
    public var groupID: UInt32

    public init(userID: UInt32, groupID: UInt32) {
        self.userID = userID
        self.groupID = groupID
    }
}

/// Where a symbolic link leads: to a name, or (in `/proc`) straight to a file.
public enum LinkTarget {
    case name([UInt8])
    case path(Path)
}
