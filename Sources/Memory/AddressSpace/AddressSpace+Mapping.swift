// Making and removing mappings: mmap(2), munmap(2).

import Machine
import Primitives

/// What `mmap` asks for.
public struct MappingRequest {
    /// Where the mapping goes.
    public enum Placement: Sendable {
        /// At the hint if that is free, else anywhere.
        case anywhere
        /// At the hint, in place of whatever is there (`MAP_FIXED`).
        case fixed
        /// At the hint; `.exists` if something is there (`MAP_FIXED_NOREPLACE`).
        case fixedIfFree
    }

    public var hint: UInt = 0
    /// Bytes; rounded up to pages.
    public var length: UInt
    public var placement = Placement.anywhere
    public var protection: Protection
    /// What `mprotect` may allow later: without `.write` for a shared mapping of a file not open for writing.
    public var maximumProtection = Protection.all
    public var flags: RegionFlags = []
    public var kind = RegionKind.ordinary
    /// nil: anonymous. Shared and anonymous makes an object of its own.
    public var object: MemoryObject?
    /// Page of the object that the mapping begins with.
    public var pageOffset = 0
    /// The pages are there when `map` returns, as far as memory reaches (`MAP_POPULATE`, `MAP_LOCKED`).
    public var isPopulated = false

    public init(length: UInt, protection: Protection) {
        self.length = length
        self.protection = protection
    }
}

extension AddressSpace {
    /// Bytes rounded up to pages; nil if that wraps around.
    static func roundUp(_ bytes: UInt) -> UInt? {
        let (sum, wraps) = bytes.addingReportingOverflow(pageSize &- 1)
        return wraps ? nil : sum & ~(pageSize &- 1)
    }

    /// The end of a range of whole pages that user programs may have; `.invalid` if it does not begin at a page or wraps.
    static func rangeEnd(_ start: UInt, _ length: UInt) throws(Errno) -> UInt {
        guard start & (pageSize &- 1) == 0, let size = roundUp(length) else { throw .invalid }
        let (end, wraps) = start.addingReportingOverflow(size)
        guard !wraps, end <= highest else { throw .invalid }
        return end
    }

    /// Makes a mapping and returns its address. `.invalid` for a length of 0 or a fixed address that is no page's;
    /// `.noMemory`; `.exists`; `.notPermitted` below `lowest`; `.overflow` when the object's pages cannot be counted. May
    /// sleep only to populate.
    public func map(_ request: MappingRequest, _ task: borrowing TaskContext) throws(Errno) -> UInt {
        guard request.length > 0 else { throw .invalid }
        guard let size = Self.roundUp(request.length), size <= Self.highest else { throw .noMemory }
        let pages = Int(bitPattern: size / pageSize)
        guard request.pageOffset >= 0, !request.pageOffset.addingReportingOverflow(pages).overflow else {
            throw .overflow
        }
        var object = request.object
        if object == nil, request.flags.contains(.shared) { object = PagedObject(pageCount: pages) }
        let attributes = RegionAttributes(
            protection: request.protection, maximum: request.maximumProtection, flags: request.flags,
            kind: request.kind)
        var batch = FlushBatch(self)
        let start = try state.withLock { (state) throws(Errno) -> UInt in
            let start = try state.place(request, size)
            if request.placement == .fixed { state.remove(start, start &+ size, &batch, self) }
            unsafe state.insert(start, start &+ size, attributes, object, request.pageOffset, self)
            batch.flush()
            return start
        }
        batch.releaseRegions()
        if request.isPopulated, !request.protection.isEmpty {
            populate(start, start &+ size, access: request.protection.contains(.write) ? .write : .read, task)
        }
        return start
    }

    /// Removes all mappings from a range, whole or in part. `.invalid` for a range that is not one; `.noMemory` when
    /// cutting a region in two would make too many.
    public func unmap(_ start: UInt, length: UInt) throws(Errno) {
        guard length > 0 else { throw .invalid }
        let end = try Self.rangeEnd(start, length)
        var batch = FlushBatch(self)
        try state.withLock { (state) throws(Errno) in
            guard state.mayCut() else { throw .noMemory }
            state.remove(start, end, &batch, self)
            batch.flush()
        }
        batch.releaseRegions()
    }

    /// Removes everything: what `execve` and the last `exit` do before the address space itself goes.
    public func unmapAll() {
        var batch = FlushBatch(self)
        state.withLock { state in
            state.remove(0, Self.highest, &batch, self)
            batch.flush()
        }
        batch.releaseRegions()
    }
}

extension SpaceState {
    /// Where a mapping of `size` bytes goes, with what the limits say about it.
    fileprivate mutating func place(_ request: MappingRequest, _ size: UInt) throws(Errno) -> UInt {
        switch request.placement {
        case .anywhere:
            try checkRoom(for: size)
            if let hint = hinted(request.hint, size) { return hint }
            guard let start = findGap(size) else { throw .noMemory }
            return start
        case .fixed, .fixedIfFree:
            let start = request.hint
            guard start & (pageSize &- 1) == 0 else { throw .invalid }
            guard start <= AddressSpace.highest, size <= AddressSpace.highest &- start else {
                throw .noMemory
            }
            guard start >= AddressSpace.lowest else { throw .notPermitted }
            if request.placement == .fixedIfFree {
                guard regions.isFree(start, start &+ size) else { throw .exists }
            } else {
                guard mayCut() else { throw .noMemory }
            }
            // What it replaces does not count twice; bytes are counted only if the limit is near.
            let replaced = limits.total == .max ? 0 : mappedBytes(start, start &+ size)
            try checkRoom(for: size &- replaced)
            return start
        }
    }

    /// The hint's page, if there is room for `size` bytes.
    private mutating func hinted(_ hint: UInt, _ size: UInt) -> UInt? {
        guard hint != 0, let start = AddressSpace.roundUp(max(hint, AddressSpace.lowest)),
            start <= AddressSpace.highest, size <= AddressSpace.highest &- start,
            isFreeForMapping(start, start &+ size)
        else { return nil }
        return start
    }

    /// Whether nothing lies in the range and no stack right above it.
    private mutating func isFreeForMapping(_ start: UInt, _ end: UInt) -> Bool {
        guard let node = unsafe regions.firstEndingBehind(start) else { return true }
        let gap = unsafe node.pointee.attributes.flags.contains(.growsDown) ? Self.stackGuardGap : 0
        return unsafe node.pointee.start >= end &+ gap
    }

    /// The highest free place below `mapTop`; if there is none, the highest at all.
    func findGap(_ size: UInt) -> UInt? {
        regions.highestGap(size, from: AddressSpace.lowest, to: mapTop)
            ?? regions.highestGap(size, from: AddressSpace.lowest, to: AddressSpace.highest)
    }

    /// Bytes of regions in a range.
    private mutating func mappedBytes(_ start: UInt, _ end: UInt) -> UInt {
        var sum: UInt = 0
        var each = unsafe regions.firstEndingBehind(start)
        while let node = unsafe each, unsafe node.pointee.start < end {
            unsafe sum &+= min(node.pointee.end, end) &- max(node.pointee.start, start)
            unsafe each = node.pointee.next
        }
        return sum
    }
}
