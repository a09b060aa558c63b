// mmap and its kin, with Linux's checks of their arguments; the work is the address space's.

import Machine
import Memory
import Primitives
import Tasks

extension SystemCalls {
    /// The running program's address space.
    private static func addressSpace() throws(Errno) -> AddressSpace {
        guard let space = Thread.currentAddressSpace else { throw .noMemory }
        return space
    }

    /// Flags of mmap(2).
    private enum MapFlag {
        static let shared: UInt32 = 1
        static let isPrivate: UInt32 = 2
        static let sharedValidate: UInt32 = 3
        static let typeMask: UInt32 = 15
        static let fixed: UInt32 = 0x10
        static let anonymous: UInt32 = 0x20
        static let growsDown: UInt32 = 0x100
        static let locked: UInt32 = 0x2000
        static let noReserve: UInt32 = 0x4000
        static let populate: UInt32 = 0x8000
        static let nonBlock: UInt32 = 0x10000
        static let hugePages: UInt32 = 0x40000
        static let sync: UInt32 = 0x80000
        static let fixedNoReplace: UInt32 = 0x100000
    }

    private static func protection(_ argument: UInt) -> Protection {
        Protection(rawValue: UInt8(truncatingIfNeeded: argument & 7))
    }

    static func mmap(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let flags = arguments.a3.asUInt32
        let offset = arguments.a5
        guard offset & (pageSize - 1) == 0 else { throw .invalid }
        var request = MappingRequest(length: arguments.a1, protection: protection(arguments.a2))
        request.hint = arguments.a0
        request.pageOffset = Int(offset / pageSize)
        if flags & MapFlag.fixedNoReplace != 0 {
            request.placement = .fixedIfFree
        } else if flags & MapFlag.fixed != 0 {
            request.placement = .fixed
        }
        let type = flags & MapFlag.typeMask
        if type == MapFlag.shared || type == MapFlag.sharedValidate {
            request.flags.insert(.shared)
        } else if type != MapFlag.isPrivate {
            throw .invalid
        }
        if flags & MapFlag.growsDown != 0 {
            guard type == MapFlag.isPrivate else { throw .invalid }
            request.flags.insert(.growsDown)
        }
        if flags & MapFlag.locked != 0 { request.flags.insert(.locked) }
        if flags & MapFlag.noReserve != 0 { request.flags.insert(.noReserve) }
        request.isPopulated =
            flags & MapFlag.locked != 0
            || flags & MapFlag.populate != 0 && flags & MapFlag.nonBlock == 0
        if flags & MapFlag.anonymous == 0 {
            try takeFile(&request, arguments.a4.asInt32, type, task)
        } else {
            // There are no huge pages to be had.
            if flags & MapFlag.hugePages != 0 { throw .noMemory }
            request.pageOffset = 0
        }
        return Int(bitPattern: try addressSpace().map(request, task))
    }

    private static func takeFile(
        _ request: inout MappingRequest, _ descriptor: Int32, _ type: UInt32, _ task: borrowing TaskContext
    ) throws(Errno) {
        let file = try LinuxTask.file(descriptor)
        guard !file.isPathOnly else { throw .badFileDescriptor }
        guard request.length > 0 else { throw .invalid }
        guard file.isReadable else { throw .accessDenied }
        if type != MapFlag.isPrivate, !file.isWritable {
            guard !request.protection.contains(.write) else { throw .accessDenied }
            request.maximumProtection.remove(.write)
        }
        if let path = file.path, path.mount.flags.contains(.noExecution) {
            guard !request.protection.contains(.execute) else { throw .notPermitted }
            request.maximumProtection.remove(.execute)
        }
        if file.mapsAnonymousMemory {
            request.pageOffset = 0
        } else {
            request.object = try file.memoryObject(task)
        }
    }

    static func munmap(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try addressSpace().unmap(arguments.a0, length: arguments.a1)
        return 0
    }

    static func mprotect(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        // PROT_GROWSDOWN and PROT_GROWSUP would widen the range to a whole stack.
        guard arguments.a2 & ~0x0300_0007 == 0, arguments.a2 & 0x0300_0000 != 0x0300_0000 else {
            throw .invalid
        }
        guard arguments.a0 & (pageSize - 1) == 0 else { throw .invalid }
        if arguments.a1 == 0 { return 0 }
        guard let end = rangeEnd(arguments.a0, arguments.a1) else { throw .noMemory }
        var start = arguments.a0
        if arguments.a2 & 0x0100_0000 != 0 {
            let region = try addressSpace().region(containing: start)
            guard let region, region.flags.contains(.growsDown) else { throw .invalid }
            start = region.start
        }
        try addressSpace().protect(start, length: end - start, protection(arguments.a2))
        return 0
    }

    /// End of a range of whole pages; nil if it wraps around.
    private static func rangeEnd(_ start: UInt, _ length: UInt) -> UInt? {
        let (size, wraps) = length.addingReportingOverflow(pageSize - 1)
        let (end, overflows) = start.addingReportingOverflow(size & ~(pageSize - 1))
        return wraps || overflows ? nil : end
    }

    static func mremap(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let flags = arguments.a3
        guard flags & ~7 == 0, flags & 2 == 0 || flags & 1 != 0 else { throw .invalid }
        var request = RemapRequest(
            start: arguments.a0, oldLength: arguments.a1, newLength: arguments.a2)
        request.mayMove = flags & 1 != 0  // MREMAP_MAYMOVE
        if flags & 2 != 0 { request.newStart = arguments.a4 }  // MREMAP_FIXED
        request.keepsOld = flags & 4 != 0  // MREMAP_DONTUNMAP
        return Int(bitPattern: try addressSpace().remap(request))
    }

    static func brk(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        Int(bitPattern: try addressSpace().setBreak(arguments.a0))
    }

    static func msync(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        let flags = arguments.a2
        // MS_ASYNC 1, MS_INVALIDATE 2, MS_SYNC 4.
        guard flags & ~7 == 0, flags & 5 != 5, arguments.a0 & (pageSize - 1) == 0 else { throw .invalid }
        guard let end = rangeEnd(arguments.a0, arguments.a1) else { throw .noMemory }
        if end == arguments.a0 { return 0 }
        let space = try addressSpace()
        guard space.isMapped(arguments.a0, end) else { throw .noMemory }
        if flags & 2 != 0, isLocked(space, arguments.a0, end) { throw .busy }
        // All files live in memory: what was written is where it belongs.
        return 0
    }

    private static func isLocked(_ space: AddressSpace, _ start: UInt, _ end: UInt) -> Bool {
        var address = start
        while address < end, let region = space.region(containing: address) {
            if region.flags.contains(.locked) { return true }
            address = region.end
        }
        return false
    }

    static func mincore(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int
    {
        guard arguments.a0 & (pageSize - 1) == 0 else { throw .invalid }
        guard let end = rangeEnd(arguments.a0, arguments.a1), end <= KernelLayout.userEnd else {
            throw .noMemory
        }
        let space = try addressSpace()
        var page = arguments.a0
        var output = arguments.a2
        while page < end {
            let wanted = min(Int((end - page) / pageSize), 256)
            let found = space.residency(page, count: wanted)
            for isThere in found {
                try store(UInt8(isThere ? 1 : 0), to: output, task)
                output &+= 1
            }
            guard found.count == wanted else { throw .noMemory }
            page += UInt(wanted) * pageSize
        }
        return 0
    }
}
