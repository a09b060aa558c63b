// Advisory locks of a file: those of byte ranges (fcntl(2)), which belong to a process or an open file, and those of the
// whole file (flock(2)), which belong to an open file.
//
// Locks of the two kinds do not know each other. Each is a record in a list of the inode, with the identity of its owner;
// owners give their locks up before they go, so an identity is never mistaken.

import Primitives
import Synchronization
import Tasks

/// Who holds a lock.
enum LockOwner {
    /// A process, by its table of descriptors (F_SETLK).
    case process(DescriptorTable)
    /// An open file (F_OFD_SETLK, flock).
    case file(File)

    var identity: UInt {
        switch self {
        case .process(let table): UInt(bitPattern: ObjectIdentifier(table))
        case .file(let file): UInt(bitPattern: ObjectIdentifier(file))
        }
    }
}

/// A locked range of bytes; `last` is `Int.max` for "to the end, wherever that is".
struct RangeLock {
    var first: Int
    var last: Int
    var isExclusive: Bool
    let owner: UInt
    /// Process number to report, -1 for locks of open files.
    let process: Int32

    func overlaps(_ other: RangeLock) -> Bool { first <= other.last && other.first <= last }

    func conflicts(with other: RangeLock) -> Bool {
        owner != other.owner && (isExclusive || other.isExclusive) && overlaps(other)
    }
}

/// The locks of one inode.
final class FileLocks: @unchecked Sendable {
    /// Locks of one inode at most; more is ENOLCK.
    private static let limit = 4096

    private struct State {
        /// Of byte ranges.
        var ranges: [RangeLock] = []
        /// Of the whole file.
        var whole: [RangeLock] = []
    }

    /// Task context; nothing sleeps under it.
    private let state = SpinLock(State())
    private let changed = WaitQueue()

    /// The first lock that stands in the way of `wanted`.
    func conflict(with wanted: RangeLock) -> RangeLock? {
        state.withLock { $0.ranges.first { $0.conflicts(with: wanted) } }
    }

    /// Sets a lock of a range, or waits until it can; EAGAIN if it may not wait.
    func lock(_ wanted: RangeLock, waits: Bool, _ task: borrowing TaskContext) throws(Errno) {
        try changed.wait(task) { () throws(Errno) -> Void? in
            let isSet = try state.withLock { (state) throws(Errno) -> Bool in
                guard !state.ranges.contains(where: { $0.conflicts(with: wanted) }) else { return false }
                guard state.ranges.count < Self.limit else { throw .noLocks }
                Self.cut(&state.ranges, wanted)
                state.ranges.append(wanted)
                return true
            }
            if isSet { return () }
            guard waits else { throw .tryAgain }
            return nil
        }
        // A lock that became weaker lets others in.
        if !wanted.isExclusive { changed.wakeAll() }
    }

    /// Gives up a range.
    func unlock(_ range: RangeLock) throws(Errno) {
        try state.withLock { (state) throws(Errno) in
            guard state.ranges.count < Self.limit else { throw .noLocks }
            Self.cut(&state.ranges, range)
        }
        changed.wakeAll()
    }

    /// Takes a range out of the locks of its owner.
    private static func cut(_ locks: inout [RangeLock], _ range: RangeLock) {
        var kept: [RangeLock] = []
        kept.reserveCapacity(locks.count + 2)
        for lock in locks {
            guard lock.owner == range.owner, lock.overlaps(range) else {
                kept.append(lock)
                continue
            }
            if lock.first < range.first {
                var before = lock
                before.last = range.first - 1
                kept.append(before)
            }
            if lock.last > range.last {
                var after = lock
                after.first = range.last + 1
                kept.append(after)
            }
        }
        locks = kept
    }

    /// Locks the whole file for an open file (flock), changing what it holds already.
    func lockWhole(
        _ owner: UInt, isExclusive: Bool, waits: Bool, _ task: borrowing TaskContext
    ) throws(Errno) {
        let wanted = RangeLock(first: 0, last: .max, isExclusive: isExclusive, owner: owner, process: -1)
        // As Linux does it, a change of kind gives the old lock up first.
        unlockWhole(owner)
        try changed.wait(task) { () throws(Errno) -> Void? in
            let isSet = state.withLock { state in
                guard !state.whole.contains(where: { $0.conflicts(with: wanted) }) else { return false }
                state.whole.append(wanted)
                return true
            }
            if isSet { return () }
            guard waits else { throw .tryAgain }
            return nil
        }
    }

    func unlockWhole(_ owner: UInt) {
        state.withLock { state in state.whole.removeAll { $0.owner == owner } }
        changed.wakeAll()
    }

    /// Gives up everything of an owner.
    func release(_ owner: UInt) {
        state.withLock { state in
            state.whole.removeAll { $0.owner == owner }
            state.ranges.removeAll { $0.owner == owner }
        }
        changed.wakeAll()
    }
}

extension Inode {
    /// Some process may hold locks of the file.
    @inline(__always)
    final var mayHaveLocks: Bool { hasLocks.load(ordering: .relaxed) }

    /// The file's locks, made at first use.
    final var locks: FileLocks {
        if let there = lockList.withLock({ $0 }) { return there }
        let new = FileLocks()
        return lockList.withLock { there in
            if let there { return there }
            there = new
            hasLocks.store(true, ordering: .relaxed)
            return new
        }
    }

    /// Gives up all locks of an owner. Does not sleep.
    final func releaseLocks(of owner: LockOwner) {
        guard let locks = lockList.withLock({ $0 }) else { return }
        locks.release(owner.identity)
    }
}
