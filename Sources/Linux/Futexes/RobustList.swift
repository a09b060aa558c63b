// Robust futexes: locks that a thread holds when it ends are marked, and one waiter of each is woken, so
// that nobody waits for the dead (Documentation/locking/robust-futex-ABI).

import Memory
import Primitives

enum RobustList {
    /// Bytes of `struct robust_list_head`: first entry, offset of the lock word, an entry in the making.
    static let headSize: UInt = 24
    /// Longer lists are not a program's doing but an accident or an attack.
    private static let maximumLength = 2048
    /// Bits of a lock word.
    private static let waiters: UInt32 = 0x8000_0000  // FUTEX_WAITERS
    private static let ownerDied: UInt32 = 0x4000_0000  // FUTEX_OWNER_DIED
    private static let ownerMask: UInt32 = 0x3fff_ffff  // FUTEX_TID_MASK

    /// Walks the list at `head` for the thread `owner`, as far as its memory can be read.
    static func release(_ head: UInt, owner: UInt32, _ task: borrowing TaskContext) throws(Errno) {
        var entry = try SystemCalls.load(UInt.self, from: head, task)
        let offset = try SystemCalls.load(UInt.self, from: head &+ 8, task)
        let pending = try SystemCalls.load(UInt.self, from: head &+ 16, task)
        var length = 0
        while entry & ~1 != head, length < maximumLength {
            // The next one is read first: whoever is woken may take this one out.
            let next = try SystemCalls.load(UInt.self, from: entry & ~1, task)
            if entry & ~1 != pending & ~1 {
                try releaseLock((entry & ~1) &+ offset, entry, owner, isPending: false, task)
            }
            entry = next
            length += 1
        }
        if pending & ~1 != 0 {
            try releaseLock((pending & ~1) &+ offset, pending, owner, isPending: true, task)
        }
    }

    /// Bit 0 of an entry's address says that its lock inherits priorities: those do not exist.
    private static func releaseLock(
        _ address: UInt, _ entry: UInt, _ owner: UInt32, isPending: Bool, _ task: borrowing TaskContext
    ) throws(Errno) {
        let isInheriting = entry & 1 != 0
        var seen = try SystemCalls.load(UInt32.self, from: address, task)
        // The thread died between giving the lock up and waking the next.
        if isPending, !isInheriting, seen & ownerMask == 0 {
            _ = try Futex.wake(address, count: 1, isPrivate: false, task)
            return
        }
        while seen & ownerMask == owner {
            let found = try UserMemory.compareExchange(
                UserPointer(address), expected: seen, desired: seen & waiters | ownerDied, task)
            if found == seen {
                if seen & waiters != 0, !isInheriting {
                    _ = try Futex.wake(address, count: 1, isPrivate: false, task)
                }
                return
            }
            seen = found
        }
    }
}

extension LinuxTask {
    /// At the end of the thread, or of its program at `execve`.
    func releaseRobustFutexes(_ task: borrowing TaskContext) {
        let head = robustList
        robustList = 0
        guard head != 0 else { return }
        do throws(Errno) {
            try RobustList.release(head, owner: UInt32(bitPattern: identifier), task)
        } catch {
            // A list that cannot be read is the program's own loss.
        }
    }
}
