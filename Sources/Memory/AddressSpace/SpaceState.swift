// What an address space's lock guards.

import Machine
import Primitives

/// How large an address space may become (`setrlimit`), in bytes.
public struct AddressSpaceLimits: Equatable, Sendable {
    /// `RLIMIT_AS`
    public var total: UInt = .max
    /// `RLIMIT_DATA`
    public var data: UInt = .max
    /// `RLIMIT_STACK`
    public var stack: UInt = 8 << 20

    public init() {}
}

/// Pages in use, by kind.
public struct AddressSpaceUsage: Equatable, Sendable {
    public var anonymousPages = 0
    public var filePages = 0
    public var sharedMemoryPages = 0
    /// Frames of page tables.
    public var tablePages = 0
    /// Pages of all regions.
    public var totalPages = 0
    public var peakTotalPages = 0
    public var peakResidentPages = 0

    public init() {}

    public var residentPages: Int { anonymousPages + filePages + sharedMemoryPages }
}

@safe struct SpaceState: ~Copyable {
    var regions = RegionTree()
    let table: PageTable
    var usage = AddressSpaceUsage()
    var limits = AddressSpaceLimits()
    /// The heap is `heapStart` ..< `heapEnd`; the program's idea of its end need not be page-aligned.
    var heapStart: UInt = 0
    var heapEnd: UInt = 0
    /// Mappings are placed downwards from here.
    var mapTop: UInt = AddressSpace.highest

    init(_ table: PageTable) {
        unsafe self.table = table
        // The root.
        usage.tablePages = 1
    }

    // MARK: Counting

    /// `pages` more of what `entry`, in a region of `object`, maps.
    @inline(__always)
    mutating func count(_ entry: PageTableEntry, _ object: MemoryObject?, _ pages: Int) {
        if entry.contains(.special) { return }
        if entry.contains(.anonymous) {
            usage.anonymousPages &+= pages
        } else {
            countObject(object, pages)
        }
    }

    mutating func countObject(_ object: MemoryObject?, _ pages: Int) {
        if object?.isSharedMemory ?? false {
            usage.sharedMemoryPages &+= pages
        } else {
            usage.filePages &+= pages
        }
    }

    @inline(__always)
    mutating func notePeak() {
        let resident = usage.residentPages
        if resident > usage.peakResidentPages { usage.peakResidentPages = resident }
    }

    mutating func addPages(_ bytes: UInt) {
        usage.totalPages &+= Int(bitPattern: bytes / pageSize)
        if usage.totalPages > usage.peakTotalPages { usage.peakTotalPages = usage.totalPages }
    }

    mutating func removePages(_ bytes: UInt) { usage.totalPages &-= Int(bitPattern: bytes / pageSize) }

    /// `.noMemory` if `bytes` more would be too many, for the limits or for the kernel's own memory.
    func checkRoom(for bytes: UInt) throws(Errno) {
        let total = UInt(bitPattern: usage.totalPages) &* pageSize
        guard bytes <= AddressSpace.highest, total &+ bytes <= limits.total, Frames.userMayAllocate,
            regions.count < AddressSpace.maximumRegions
        else { throw .noMemory }
    }
}
