// Changing the regions: entering, splitting, joining, taking out.

import Machine
import Primitives

extension SpaceState {
    /// Enters a region whose range is free, as part of a neighbour where they agree. Returns the node that contains it.
    @discardableResult
    mutating func insert(
        _ start: UInt, _ end: UInt, _ attributes: RegionAttributes, _ object: MemoryObject?,
        _ pageOffset: Int,
        _ space: AddressSpace
    ) -> RegionTree.Node {
        addPages(end &- start)
        if let before = unsafe regions.lastStartingBelow(start),
            unsafe before.pointee.end == start,
            unsafe Self.agree(before, attributes, object, before.pointee.page(at: start), pageOffset)
        {
            unsafe before.pointee.attributes.flags.formUnion(attributes.flags)
            unsafe regions.resize(before, before.pointee.start, end)
            return unsafe joinNext(before, space)
        }
        let node = unsafe RegionTree.make(RegionNode(start, end, attributes, object, pageOffset))
        unsafe regions.insert(node)
        object?.addMapping(space)
        return unsafe joinNext(node, space)
    }

    /// Whether a region that goes on with `attributes`, `object` and `pageOffset` where `node` has page `expected` is the same
    /// region. Stacks stay apart, since they grow.
    static func agree(
        _ node: RegionTree.Node, _ attributes: RegionAttributes, _ object: MemoryObject?, _ expected: Int,
        _ pageOffset: Int
    ) -> Bool {
        guard unsafe node.pointee.attributes == attributes, !attributes.flags.contains(.growsDown) else {
            return false
        }
        guard let object else { return unsafe node.pointee.object == nil }
        return unsafe node.pointee.object === object && expected == pageOffset
    }

    /// Joins `node` with the one behind it, if they touch and agree.
    @discardableResult
    mutating func joinNext(_ node: RegionTree.Node, _ space: AddressSpace) -> RegionTree.Node {
        guard let next = unsafe node.pointee.next, unsafe next.pointee.start == node.pointee.end,
            unsafe Self.agree(
                node, next.pointee.attributes, next.pointee.object, node.pointee.page(at: node.pointee.end),
                next.pointee.pageOffset)
        else { return unsafe node }
        let end = unsafe next.pointee.end
        unsafe node.pointee.attributes.flags.formUnion(next.pointee.attributes.flags)
        unsafe regions.remove(next)
        unsafe next.pointee.object?.removeMapping(space)
        unsafe regions.resize(node, node.pointee.start, end)
        unsafe RegionTree.release(next)
        return unsafe node
    }

    /// Joins `node` with its neighbours on both sides; returns the node that contains it then.
    @discardableResult
    mutating func join(_ node: RegionTree.Node, _ space: AddressSpace) -> RegionTree.Node {
        unsafe joinNext(node, space)
        if let before = unsafe node.pointee.previous, unsafe before.pointee.end == node.pointee.start {
            let same = unsafe joinNext(before, space)
            if unsafe same.pointee.end > node.pointee.start { return unsafe same }
        }
        return unsafe node
    }

    /// Cuts the region that contains `address` in two there, unless it begins there. Returns the part from `address` on.
    @discardableResult
    mutating func split(_ node: RegionTree.Node, at address: UInt, _ space: AddressSpace) -> RegionTree.Node {
        let end = unsafe node.pointee.end
        guard unsafe address > node.pointee.start, address < end else { return unsafe node }
        let page = unsafe node.pointee.page(at: address)
        let upper = unsafe RegionTree.make(
            RegionNode(address, end, node.pointee.attributes, node.pointee.object, page))
        unsafe regions.resize(node, node.pointee.start, address)
        unsafe regions.insert(upper)
        unsafe upper.pointee.object?.addMapping(space)
        return unsafe upper
    }

    /// Whether cutting at the ends of a range would make more regions than there may be.
    func mayCut() -> Bool { regions.count &+ 2 <= AddressSpace.maximumRegions }

    /// Takes everything out of `start` ..< `end`. A region that reaches beyond becomes shorter, or two.
    mutating func remove(_ start: UInt, _ end: UInt, _ batch: inout FlushBatch, _ space: AddressSpace) {
        guard let first = unsafe regions.firstEndingBehind(start), unsafe first.pointee.start < end else {
            return
        }
        if unsafe first.pointee.start < start, unsafe first.pointee.end > end {
            unsafe split(first, at: end, space)
        }
        let low = unsafe max(start, first.pointee.start)
        let floor = unsafe low > first.pointee.start ? low : first.pointee.previous?.pointee.end ?? 0
        var (high, ceiling) = (low, KernelLayout.userEnd)
        var each: RegionTree.Link = unsafe first
        while let node = unsafe each {
            unsafe each = node.pointee.next
            let (from, to) = unsafe (max(node.pointee.start, start), min(node.pointee.end, end))
            guard from < to else {
                unsafe ceiling = node.pointee.start
                break
            }
            unsafe zap(from, to, node.pointee.object, &batch)
            removePages(to &- from)
            high = to
            if unsafe to < node.pointee.end {
                unsafe regions.resize(node, to, node.pointee.end)
                ceiling = to
                break
            }
            if unsafe from > node.pointee.start {
                unsafe regions.resize(node, node.pointee.start, from)
                continue
            }
            unsafe regions.remove(node)
            unsafe node.pointee.object?.removeMapping(space)
            unsafe batch.add(region: node)
        }
        freeTables(low, high, floor: floor, ceiling: ceiling, &batch)
    }
}
