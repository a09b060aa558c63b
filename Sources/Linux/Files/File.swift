// An open file description: what open(2) makes and descriptors refer to (several, after dup and fork).
//
// The description lives as long as a descriptor or a call in progress refers to it; its `deinit` is
// the last close. Subclasses release what they hold in their own `deinit`, which has no task and so
// does not sleep.
//
// Invariants: inode, path and the access mode never change. The position is read and written by
// the calls themselves; those on regular files and directories hold `positionMutex` meanwhile, so
// that two threads reading from one description get different bytes (POSIX.1-2017, 2.9.7).

import Memory
import Primitives
import Synchronization
import Tasks

/// Base of all kinds of open files. What a kind does not override fails as Linux fails it.
public class File: @unchecked Sendable {
    public let inode: Inode
    /// Where it was opened; nil for pipes and other files without a name.
    public let path: Path?
    public let isReadable: Bool
    public let isWritable: Bool
    /// What F_SETOWN set: a process, or below zero a process group.
    private let signalOwnerNumber = Atomic<Int32>(0)
    var signalOwner: Int32 {
        get { signalOwnerNumber.load(ordering: .relaxed) }
        set { signalOwnerNumber.store(newValue, ordering: .relaxed) }
    }
    /// The pipe that this is an end of.
    var pipeBehind: Pipe? { nil }
    /// Held while the position is used by a read, write or seek, so that each thread gets bytes of its own.
    let positionMutex = RawMutex()
    /// Counts as a writer of the inode until the last close; set once, by who opens.
    var countsAsWriter = false
    /// Counts as a program that runs from the inode; set once, by who executes it.
    private var countsAsProgram = false
    private let statusFlags: Atomic<UInt32>
    private let offset = Atomic<Int>(0)

    public init(_ inode: Inode, _ path: Path?, _ flags: OpenFlags) {
        self.inode = inode
        self.path = path
        path?.mount.pin()
        let isPathOnly = flags.contains(.path)
        isReadable = !isPathOnly && (flags.accessMode == 0 || flags.accessMode == 2)
        isWritable = !isPathOnly && (flags.accessMode == 1 || flags.accessMode == 2)
        statusFlags = Atomic(flags.subtracting(.openingOnly).rawValue)
    }

    deinit {
        if countsAsWriter { inode.endWriting() }
        if countsAsProgram { inode.endExecuting() }
        if inode.mayHaveLocks { inode.releaseLocks(of: .file(self)) }
        path?.mount.unpin()
    }

    /// Nobody can open the inode for writing until the last close; ETXTBSY where somebody has.
    final func beginExecuting() throws(Errno) {
        try inode.beginExecuting()
        countsAsProgram = true
    }

    /// A descriptor of `table` for this file was closed: the process gives up its POSIX locks of the file.
    final func descriptorClosed(by table: DescriptorTable) {
        if inode.mayHaveLocks { inode.releaseLocks(of: .process(table)) }
    }

    /// Access mode and status flags, as fcntl(F_GETFL) shows them.
    @inline(__always)
    public final var flags: OpenFlags { OpenFlags(rawValue: statusFlags.load(ordering: .relaxed)) }

    /// Sets and clears status flags; others' changes at the same time are kept.
    public final func changeFlags(set: OpenFlags, clear: OpenFlags) {
        statusFlags.bitwiseAnd(~clear.rawValue, ordering: .relaxed)
        statusFlags.bitwiseOr(set.rawValue, ordering: .relaxed)
    }

    /// O_NONBLOCK: fail with EAGAIN instead of sleeping.
    @inline(__always)
    public final var isNonBlocking: Bool { flags.contains(.nonBlocking) }

    /// Opened with O_PATH: names a place in the tree and nothing else.
    public final var isPathOnly: Bool { flags.contains(.path) }

    /// Offset of the next read or write.
    @inline(__always)
    public final var position: Int {
        get { offset.load(ordering: .relaxed) }
        set { offset.store(newValue, ordering: .relaxed) }
    }

    /// Has offsets at all: pread, pwrite and lseek work. Pipes, terminals and sockets say no.
    public var isSeekable: Bool { true }

    /// Reads at `position` and moves it on. Returns how many bytes, 0 at the end of the file. May sleep; throws
    /// EAGAIN instead for a non-blocking file, and `restartSystem` when a signal came before any byte.
    public func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int { throw .invalid }

    /// Writes at `position` (at the end, with O_APPEND) and moves it on. Returns how many bytes.
    public func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int { throw .invalid }

    /// A request of ioctl(2); `argument` is the third argument, often the address of a structure.
    public func ioctl(_ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext) throws(Errno) -> Int
    {
        throw .notTerminal
    }

    /// Moves the position (lseek(2)) and returns the new one.
    public func seek(_ offset: Int, _ origin: SeekOrigin, _ task: borrowing TaskContext) throws(Errno) -> Int
    {
        guard isSeekable else { throw .illegalSeek }
        let base: Int
        switch origin {
        case .start: base = 0
        case .current: base = position
        case .end: base = inode.size
        case .data, .hole: return try seekSparse(offset, origin)
        }
        let (target, overflow) = base.addingReportingOverflow(offset)
        guard !overflow, target >= 0 else { throw .invalid }
        position = target
        return target
    }

    /// SEEK_DATA and SEEK_HOLE for files that have no holes: all is data up to the end.
    private func seekSparse(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int {
        let size = inode.size
        guard offset >= 0, offset < size else { throw .noSuchDevice }
        position = origin == .data ? offset : size
        return position
    }

    /// Adds entries of a directory from the file's position on to `buffer`, and moves the position.
    public func readDirectory(into buffer: inout DirectoryBuffer, _ task: borrowing TaskContext) throws(Errno)
    {
        throw .notDirectory
    }

    /// What the file is ready for now. With a table, also registers the queues that are woken when that changes.
    public func poll(_ table: PollTable?) -> PollEvents { [.readable, .writable] }

    /// What a mapping of the file maps; ENODEV for what cannot be mapped.
    public func memoryObject(_ task: borrowing TaskContext) throws(Errno) -> MemoryObject {
        guard let object = inode.memoryObject else { throw .noDevice }
        return object
    }

    /// A mapping of the file is one of fresh memory (`/dev/zero`).
    var mapsAnonymousMemory: Bool { false }

    /// Reserves room or makes holes (fallocate(2)).
    public func allocate(
        _ mode: AllocationMode, _ offset: Int, _ count: Int, _ task: borrowing TaskContext
    ) throws(Errno) { throw inode.kind == .fifo ? .illegalSeek : .noDevice }

    /// A read happened: the access time moves on if it is not newer than the last change (`relatime`).
    @inline(__always)
    final func touchAccessed() {
        let accessed = inode.accessTime
        guard accessed <= inode.modificationTime || accessed <= inode.changeTime else { return }
        touchAccessTime()
    }

    private func touchAccessTime() {
        guard !flags.contains(.noAccessTime) else { return }
        if let path, !path.mount.flags.isDisjoint(with: [.noAccessTime, .readOnly]) { return }
        inode.accessTime = FileClock.now
    }

    /// What `/proc/PID/fd` shows.
    public func describe() -> [UInt8] {
        guard let path else { return AnonymousName.of("anon_inode", inode) }
        return PathName.shown(path)
    }

    /// Brings contents to where they outlive power (fsync(2)).
    public func synchronize(_ task: borrowing TaskContext) throws(Errno) { throw .invalid }
}

/// The origins of lseek(2).
public enum SeekOrigin: UInt32, Sendable {
    case start = 0
    case current = 1
    case end = 2
    case data = 3
    case hole = 4
}
