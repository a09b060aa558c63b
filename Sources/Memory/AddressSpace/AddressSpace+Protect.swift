// Changing rights and other attributes of ranges: mprotect(2), and what madvise(2) and mlock(2) set.

import Machine
import Primitives

extension AddressSpace {
    /// Changes what may be done with the pages of a range. `.invalid` for a range that is not one; `.noMemory` if part of it is
    /// not mapped, `.accessDenied` where the mapping does not allow it: then what lies before is changed already.
    public func protect(_ start: UInt, length: UInt, _ protection: Protection) throws(Errno) {
        try change(start, length) { (attributes) throws(Errno) in
            guard protection.isSubset(of: attributes.maximum) else { throw .accessDenied }
            attributes.protection = protection
        }
    }

    /// Sets and clears flags of a range's regions. Errors as `protect`.
    public func setFlags(
        _ start: UInt, length: UInt, add: RegionFlags, remove: RegionFlags = []
    ) throws(Errno) {
        try change(start, length) { (attributes) throws(Errno) in
            attributes.flags.subtract(remove)
            attributes.flags.formUnion(add)
        }
    }

    /// Changes the attributes of all regions in a range, cut to fit.
    private func change(
        _ start: UInt, _ length: UInt, _ edit: (inout RegionAttributes) throws(Errno) -> Void
    ) throws(Errno) {
        guard start & (pageSize &- 1) == 0 else { throw .invalid }
        if length == 0 { return }
        guard let size = Self.roundUp(length) else { throw .noMemory }
        let (end, wraps) = start.addingReportingOverflow(size)
        guard !wraps, end <= Self.highest else { throw .noMemory }
        var batch = FlushBatch(self)
        try state.withLock { (state) throws(Errno) in
            defer { batch.flush() }
            guard state.mayCut() else { throw .noMemory }
            try state.change(start, end, &batch, self, edit)
        }
    }
}

extension SpaceState {
    fileprivate mutating func change(
        _ start: UInt, _ end: UInt, _ batch: inout FlushBatch, _ space: AddressSpace,
        _ edit: (inout RegionAttributes) throws(Errno) -> Void
    ) throws(Errno) {
        var address = start
        while address < end {
            guard var node = unsafe regions.containing(address) else { throw .noMemory }
            var attributes = unsafe node.pointee.attributes
            try edit(&attributes)
            let stop = unsafe min(node.pointee.end, end)
            if unsafe attributes != node.pointee.attributes,
                unsafe !giveToNeighbour(node, address, stop, attributes, &batch)
            {
                unsafe node = split(node, at: address, space)
                unsafe split(node, at: stop, space)
                unsafe apply(attributes, to: node, &batch)
                unsafe join(node, space)
            }
            address = stop
        }
    }

    /// If `start` ..< `end` is one end of `node` and becomes what the region beyond is, that region grows by it; whether it
    /// has.
    private mutating func giveToNeighbour(
        _ node: RegionTree.Node, _ start: UInt, _ end: UInt, _ attributes: RegionAttributes,
        _ batch: inout FlushBatch
    ) -> Bool {
        let (low, high) = unsafe (node.pointee.start, node.pointee.end)
        let old = unsafe node.pointee.attributes.protection
        if start > low, end == high, let next = unsafe node.pointee.next, unsafe next.pointee.start == end,
            unsafe Self.agree(
                next, attributes, node.pointee.object, next.pointee.pageOffset, node.pointee.page(at: end))
        {
            changeRights(start, end, from: old, to: attributes.protection, &batch)
            unsafe next.pointee.attributes.flags.formUnion(attributes.flags)
            unsafe regions.resize(node, low, start)
            unsafe regions.resize(next, start, next.pointee.end)
            return true
        }
        guard start == low, end < high, let before = unsafe node.pointee.previous,
            unsafe before.pointee.end == start,
            unsafe Self.agree(
                before, attributes, node.pointee.object, before.pointee.page(at: start),
                node.pointee.pageOffset)
        else { return false }
        changeRights(start, end, from: old, to: attributes.protection, &batch)
        unsafe before.pointee.attributes.flags.formUnion(attributes.flags)
        unsafe regions.resize(node, end, high)
        unsafe regions.resize(before, before.pointee.start, end)
        return true
    }

    private mutating func apply(
        _ attributes: RegionAttributes, to node: RegionTree.Node, _ batch: inout FlushBatch
    ) {
        let old = unsafe node.pointee.attributes.protection
        unsafe node.pointee.attributes = attributes
        unsafe changeRights(
            node.pointee.start, node.pointee.end, from: old, to: attributes.protection, &batch)
    }

    private mutating func changeRights(
        _ start: UInt, _ end: UInt, from old: Protection, to protection: Protection,
        _ batch: inout FlushBatch
    ) {
        guard protection != old else { return }
        unsafe table.forEachLeaf(start, end) { address, slot, count in
            for index in 0..<count {
                let entry = unsafe slot[index]
                guard entry.value != 0 else { continue }
                let new = entry.allowing(protection)
                guard new != entry else { continue }
                unsafe slot[index] = new
                let page = address &+ UInt(bitPattern: index) &* pageSize
                batch.touch(page, page &+ pageSize)
            }
        }
    }
}

extension PageTableEntry {
    /// The same page with the rights of `protection`; never more writable than before: the next write decides that.
    fileprivate func allowing(_ protection: Protection) -> Self {
        var entry = self
        entry = protection.isEmpty ? entry.removing(.present) : entry.adding(.present)
        if !protection.contains(.write) { entry = entry.removing(.writable) }
        return protection.contains(.execute) ? entry.removing(.noExecute) : entry.adding(.noExecute)
    }
}
