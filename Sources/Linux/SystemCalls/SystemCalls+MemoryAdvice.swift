// madvise and the mlock family.

import Machine
import Memory
import Primitives

extension SystemCalls {
    private static func ownSpace() throws(Errno) -> AddressSpace {
        guard let space = LinuxTask.current.process.addressSpace else { throw .noMemory }
        return space
    }

    static func madvise(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        let start = arguments.a0
        let advice = arguments.a2.asInt32
        guard isKnown(advice), start & (pageSize - 1) == 0 else { throw .invalid }
        let (size, wraps) = arguments.a1.addingReportingOverflow(pageSize - 1)
        let length = size & ~(pageSize - 1)
        guard !wraps, !start.addingReportingOverflow(length).overflow else { throw .invalid }
        if length == 0 { return 0 }
        let space = try ownSpace()
        let end = start + length
        switch advice {
        case 4, 8: try space.discardPages(start, length: length)  // MADV_DONTNEED, MADV_FREE
        case 9: try space.punchHoles(start, length: length, task)  // MADV_REMOVE
        case 10: try space.setFlags(start, length: length, add: .notForked)  // MADV_DONTFORK
        case 11: try space.setFlags(start, length: length, add: [], remove: .notForked)  // MADV_DOFORK
        case 16: try space.setFlags(start, length: length, add: .notDumped)  // MADV_DONTDUMP
        case 17: try space.setFlags(start, length: length, add: [], remove: .notDumped)  // MADV_DODUMP
        case 18:  // MADV_WIPEONFORK: private anonymous memory only
            guard isAnonymous(space, start, end) else { throw .invalid }
            try space.setFlags(start, length: length, add: .wipedOnFork)
        case 19: try space.setFlags(start, length: length, add: [], remove: .wipedOnFork)  // MADV_KEEPONFORK
        case 22, 23:  // MADV_POPULATE_READ, MADV_POPULATE_WRITE
            try populate(space, start, end, advice == 22 ? .read : .write, task)
        default: guard space.isMapped(start, end) else { throw .noMemory }
        }
        return 0
    }

    /// NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE, REMOVE, (DONT|DO)FORK, (UN)MERGEABLE, (NO)HUGEPAGE,
    /// (DONT|DO)DUMP, (WIPE|KEEP)ONFORK, COLD, PAGEOUT, POPULATE_*.
    private static func isKnown(_ advice: Int32) -> Bool {
        switch advice {
        case 0...4, 8...23: true
        default: false
        }
    }

    private static func isAnonymous(_ space: AddressSpace, _ start: UInt, _ end: UInt) -> Bool {
        var address = start
        while address < end, let region = space.region(containing: address) {
            if region.object != nil { return false }
            address = region.end
        }
        return true
    }

    private static func populate(
        _ space: AddressSpace, _ start: UInt, _ end: UInt, _ access: FaultAccess,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        guard space.isMapped(start, end) else { throw .noMemory }
        switch space.populate(start, end, access: access, task) {
        case .resolved: return
        case .outOfMemory: throw .noMemory
        default: throw .badAddress
        }
    }

    // MARK: Locking. Nothing is ever swapped: locking brings pages in and shows in the regions' flags.

    private static func lockRange(
        _ start: UInt, _ length: UInt, _ task: borrowing TaskContext, isLocked: Bool, populates: Bool
    ) throws(Errno) {
        let first = start & ~(pageSize - 1)
        let (size, wraps) = length.addingReportingOverflow((start & (pageSize - 1)) + pageSize - 1)
        let (end, overflows) = first.addingReportingOverflow(size & ~(pageSize - 1))
        guard !wraps, !overflows else { throw .invalid }
        if end == first { return }
        let space = try ownSpace()
        guard space.isMapped(first, end) else { throw .noMemory }
        guard isLocked else {
            return try space.setFlags(first, length: end - first, add: [], remove: .locked)
        }
        let current = LinuxTask.current
        let limit = current.process.limit(.lockedMemory)
        if !current.credentials.has(.lockMemory) {
            guard limit > 0 else { throw .notPermitted }
            guard UInt64(end - first) <= limit else { throw .noMemory }
        }
        try space.setFlags(first, length: end - first, add: .locked)
        if populates { _ = space.populate(first, end, access: .read, task) }
    }

    static func mlock(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try lockRange(arguments.a0, arguments.a1, task, isLocked: true, populates: true)
        return 0
    }

    static func mlock2(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        // MLOCK_ONFAULT
        guard arguments.a2 & ~1 == 0 else { throw .invalid }
        try lockRange(arguments.a0, arguments.a1, task, isLocked: true, populates: arguments.a2 == 0)
        return 0
    }

    static func munlock(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        try lockRange(arguments.a0, arguments.a1, task, isLocked: false, populates: false)
        return 0
    }

    static func mlockall(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        // MCL_CURRENT 1, MCL_FUTURE 2, MCL_ONFAULT 4 (not alone).
        guard arguments.a0 & ~7 == 0, arguments.a0 & 3 != 0 else { throw .invalid }
        let current = LinuxTask.current
        let limit = current.process.limit(.lockedMemory)
        let space = try ownSpace()
        if !current.credentials.has(.lockMemory) {
            guard limit > 0 else { throw .notPermitted }
            guard UInt64(space.usage.totalPages) * UInt64(pageSize) <= limit else { throw .noMemory }
        }
        if arguments.a0 & 1 != 0 { changeLocks(space, isLocked: true) }
        return 0
    }

    static func munlockall(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        changeLocks(try ownSpace(), isLocked: false)
        return 0
    }

    private static func changeLocks(_ space: AddressSpace, isLocked: Bool) {
        space.forEachRegion { region in
            // A region that went away in the meantime needs no flag.
            if isLocked {
                _ = try? space.setFlags(region.start, length: region.byteCount, add: .locked)
            } else {
                _ = try? space.setFlags(region.start, length: region.byteCount, add: [], remove: .locked)
            }
        }
    }
}
