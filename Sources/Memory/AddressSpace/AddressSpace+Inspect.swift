// Looking at an address space: /proc/PID/maps and statm, mincore(2), keys of futexes.

import Machine
import Primitives

extension AddressSpace {
    /// The regions from the one that `address` lies in (or the next one) on, at most `limit`.
    public func regions(from address: UInt = 0, limit: Int = .max) -> [Region] {
        state.withLock { state in
            var result: [Region] = []
            var each = unsafe state.regions.firstEndingBehind(address)
            while let node = unsafe each, result.count < limit {
                unsafe result.append(node.pointee.region)
                unsafe each = node.pointee.next
            }
            return result
        }
    }

    /// Calls `body` for each region, lowest first, without the lock: regions that come or go meanwhile may be missed.
    public func forEachRegion<E>(_ body: (Region) throws(E) -> Void) throws(E) {
        var address: UInt = 0
        while true {
            let some = regions(from: address, limit: 32)
            guard let last = some.last else { return }
            for region in some { try body(region) }
            address = last.end
        }
    }

    /// The region that `address` lies in.
    public func region(containing address: UInt) -> Region? {
        state.withLock { state in
            guard let node = unsafe state.regions.containing(address) else { return nil }
            return unsafe node.pointee.region
        }
    }

    public var regionCount: Int { state.withLock { $0.regions.count } }

    /// Pages in use.
    public var usage: AddressSpaceUsage { state.withLock { $0.usage } }

    /// Pages that are there.
    public var residentPages: Int { state.withLock { $0.usage.residentPages } }

    /// Whether all of a range is mapped (`msync`, `mlock`).
    public func isMapped(_ start: UInt, _ end: UInt) -> Bool {
        state.withLock { state in
            var address = start
            while address < end {
                guard let node = unsafe state.regions.containing(address) else { return false }
                unsafe address = node.pointee.end
            }
            return true
        }
    }

    /// For each page from `start` on whether it is there; at most `count`, fewer where the mappings end.
    public func residency(_ start: UInt, count: Int) -> [Bool] {
        state.withLock { state in
            var result: [Bool] = []
            var page = start
            while result.count < count, let node = unsafe state.regions.containing(page) {
                if let slot = unsafe state.table.entry(at: page), unsafe slot.pointee.value != 0 {
                    result.append(true)
                } else {
                    unsafe result.append(node.pointee.hasResidentPage(at: page))
                }
                page &+= pageSize
            }
            return result
        }
    }

    /// What a shared mapping at `address` maps: the object and the page; nil for private or no memory. With it two
    /// programs know that they mean the same word (futex(2)).
    public func sharedPage(at address: UInt) -> (object: MemoryObject, index: Int)? {
        state.withLock { state in
            guard let node = unsafe state.regions.containing(address), unsafe node.pointee.isShared,
                let object = unsafe node.pointee.object
            else { return nil }
            return unsafe (object, node.pointee.page(at: address))
        }
    }
}

extension RegionNode {
    /// Whether the object has the page for `address` at hand.
    fileprivate func hasResidentPage(at address: UInt) -> Bool {
        guard let object else { return false }
        var batch = FrameBatch(first: page(at: address), count: 1)
        guard batch.first < object.pageCount else { return false }
        object.residentFrames(for: .read, into: &batch)
        guard let frame = batch[0] else { return false }
        Frames.release(frame)
        return true
    }
}
