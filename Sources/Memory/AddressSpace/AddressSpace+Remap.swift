// Moving and resizing mappings: mremap(2). Pages move with their mapping: nothing is copied.

import Machine
import Primitives

/// What `mremap` asks for.
public struct RemapRequest: Sendable {
    public var start: UInt
    public var oldLength: UInt
    public var newLength: UInt
    /// `MREMAP_MAYMOVE`
    public var mayMove = false
    /// `MREMAP_FIXED`: exactly there, in place of whatever is there.
    public var newStart: UInt?
    /// `MREMAP_DONTUNMAP`: the old place stays, empty.
    public var keepsOld = false

    public init(start: UInt, oldLength: UInt, newLength: UInt) {
        self.start = start
        self.oldLength = oldLength
        self.newLength = newLength
    }
}

extension AddressSpace {
    /// Resizes or moves a mapping and returns its address. `.badAddress` if the old range is not one mapping; `.invalid`,
    /// `.noMemory` as mremap(2) says.
    public func remap(_ request: RemapRequest) throws(Errno) -> UInt {
        guard request.start & (pageSize &- 1) == 0, let old = Self.roundUp(request.oldLength),
            let new = Self.roundUp(request.newLength), new > 0, new <= Self.highest,
            request.start <= Self.highest, old <= Self.highest
        else { throw .invalid }
        if let to = request.newStart {
            guard request.mayMove, to & (pageSize &- 1) == 0, to <= Self.highest, new <= Self.highest &- to,
                to &+ new <= request.start || request.start &+ old <= to
            else { throw .invalid }
            guard to >= Self.lowest else { throw .notPermitted }
        }
        if request.keepsOld, !request.mayMove || old != new { throw .invalid }
        var batch = FlushBatch(self)
        let result = try state.withLock { (state) throws(Errno) -> UInt in
            defer { batch.flush() }
            return try state.remap(request, old, new, &batch, self)
        }
        batch.releaseRegions()
        return result
    }
}

extension SpaceState {
    fileprivate mutating func remap(
        _ request: RemapRequest, _ old: UInt, _ new: UInt, _ batch: inout FlushBatch, _ space: AddressSpace
    ) throws(Errno) -> UInt {
        let start = request.start
        guard mayCut() else { throw .noMemory }
        let mustMove = request.newStart != nil || request.keepsOld || old == 0
        if !mustMove, new < old {
            guard unsafe regions.containing(start) != nil else { throw .badAddress }
            remove(start &+ new, start &+ old, &batch, space)
            return start
        }
        guard let node = unsafe regions.containing(start), unsafe start &+ old <= node.pointee.end else {
            throw .badAddress
        }
        // Without an old length a second mapping of the same pages is made, which only shared ones allow.
        if old == 0 { guard request.mayMove, unsafe node.pointee.isShared else { throw .invalid } }
        if !mustMove, new == old { return start }
        if new > old { try checkRoom(for: new &- old) }
        if !mustMove, unsafe start &+ old == node.pointee.end, unsafe growInPlace(node, new &- old, space) {
            return start
        }
        guard request.mayMove else { throw .noMemory }
        return try unsafe move(request, node, old, new, &batch, space)
    }

    /// Makes a region longer, if what follows is free.
    private mutating func growInPlace(_ node: RegionTree.Node, _ growth: UInt, _ space: AddressSpace) -> Bool
    {
        let end = unsafe node.pointee.end
        let (new, wraps) = end.addingReportingOverflow(growth)
        guard !wraps, new <= AddressSpace.highest else { return false }
        if let next = unsafe node.pointee.next {
            let gap = unsafe next.pointee.attributes.flags.contains(.growsDown) ? Self.stackGuardGap : 0
            guard unsafe next.pointee.start >= new &+ gap else { return false }
        }
        unsafe regions.resize(node, node.pointee.start, new)
        addPages(growth)
        unsafe joinNext(node, space)
        return true
    }

    private mutating func move(
        _ request: RemapRequest, _ node: RegionTree.Node, _ old: UInt, _ new: UInt, _ batch: inout FlushBatch,
        _ space: AddressSpace
    ) throws(Errno) -> UInt {
        let start = request.start
        let attributes = unsafe node.pointee.attributes
        let object = unsafe node.pointee.object
        let page = unsafe node.pointee.page(at: start)
        let moved = min(old, new)
        let target: UInt
        if let wanted = request.newStart {
            remove(wanted, wanted &+ new, &batch, space)
            target = wanted
        } else {
            guard let found = findGap(new) else { throw .noMemory }
            target = found
        }
        guard makeTables(start, start &+ moved, target) else {
            freeUnusedTables(target, target &+ new, &batch)
            throw .noMemory
        }
        movePages(start, start &+ moved, to: target, &batch)
        if request.keepsOld {
            unsafe insert(target, target &+ new, attributes, object, page, space)
        } else {
            if old > 0 { remove(start, start &+ old, &batch, space) }
            unsafe insert(target, target &+ new, attributes, object, page, space)
        }
        return target
    }

    /// Makes the tables that the pages of `start` ..< `end` will need at `target`; false when there is no memory.
    private mutating func makeTables(_ start: UInt, _ end: UInt, _ target: UInt) -> Bool {
        var failed = false
        unsafe table.forEachLeaf(start, end) { address, slot, count in
            if failed { return }
            for index in 0..<count where unsafe slot[index].value != 0 {
                let page = target &+ (address &- start) &+ UInt(bitPattern: index) &* pageSize
                if unsafe table.userEntry(at: page, &usage.tablePages) == nil { return failed = true }
            }
        }
        return !failed
    }

    /// Frees the tables of a range in which nothing is mapped.
    private mutating func freeUnusedTables(_ start: UInt, _ end: UInt, _ batch: inout FlushBatch) {
        let below = unsafe regions.lastStartingBelow(start)
        let above = unsafe regions.firstEndingBehind(end &- 1)
        let floor = unsafe below == nil ? 0 : below!.pointee.end
        let ceiling = unsafe above == nil ? KernelLayout.userEnd : above!.pointee.start
        freeTables(start, end, floor: floor, ceiling: ceiling, &batch)
    }

    /// Moves the entries of `start` ..< `end` to `target`, where the tables are made.
    private mutating func movePages(_ start: UInt, _ end: UInt, to target: UInt, _ batch: inout FlushBatch) {
        unsafe table.forEachLeaf(start, end) { address, slot, count in
            for index in 0..<count {
                let entry = unsafe slot[index]
                guard entry.value != 0 else { continue }
                let page = address &+ UInt(bitPattern: index) &* pageSize
                unsafe slot[index] = .none
                batch.touch(page, page &+ pageSize)
                if let new = unsafe table.entry(at: target &+ (page &- start)) { unsafe new.pointee = entry }
            }
        }
    }
}
