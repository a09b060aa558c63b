// The heap of a program (brk(2)) and the places that `execve` decides on.

import Machine
import Primitives

extension AddressSpace {
    /// Where the heap begins, page-aligned or not; it is empty. For `execve`.
    public func setHeapStart(_ address: UInt) {
        state.withLock { state in
            state.heapStart = address
            state.heapEnd = address
        }
    }

    /// Where mappings are placed downwards from, a page's address: below the stack's room. For `execve`.
    public func setMapTop(_ address: UInt) {
        state.withLock { $0.mapTop = min(address & ~(pageSize &- 1), AddressSpace.highest) }
    }

    public var limits: AddressSpaceLimits { state.withLock { $0.limits } }

    public func setLimits(_ limits: AddressSpaceLimits) { state.withLock { $0.limits = limits } }

    /// Start and end of the heap.
    public var heap: (start: UInt, end: UInt) { state.withLock { ($0.heapStart, $0.heapEnd) } }

    /// Moves the end of the heap to `address`, if that is possible; returns where it is then. Never fails: that is how brk
    /// says no.
    public func setBreak(_ address: UInt) -> UInt {
        var batch = FlushBatch(self)
        let result = state.withLock { state in
            defer { batch.flush() }
            return state.setBreak(address, &batch, self)
        }
        batch.releaseRegions()
        return result
    }
}

extension SpaceState {
    fileprivate mutating func setBreak(
        _ address: UInt, _ batch: inout FlushBatch, _ space: AddressSpace
    ) -> UInt {
        guard address >= heapStart, address <= AddressSpace.highest, let old = AddressSpace.roundUp(heapEnd),
            let new = AddressSpace.roundUp(address)
        else { return heapEnd }
        if new < old {
            guard mayCut() else { return heapEnd }
            remove(new, old, &batch, space)
        } else if new > old {
            guard address &- heapStart <= limits.data, (try? checkRoom(for: new &- old)) != nil,
                isFreeForHeap(old, new)
            else { return heapEnd }
            let attributes = RegionAttributes(
                protection: [.read, .write], maximum: .all, flags: [], kind: .heap)
            unsafe insert(old, new, attributes, nil, 0, space)
        }
        heapEnd = address
        return address
    }

    /// Whether nothing lies in the range, and no stack right behind it.
    private mutating func isFreeForHeap(_ start: UInt, _ end: UInt) -> Bool {
        guard let node = unsafe regions.firstEndingBehind(start) else { return true }
        let gap = unsafe node.pointee.attributes.flags.contains(.growsDown) ? Self.stackGuardGap : pageSize
        return unsafe node.pointee.start >= end &+ gap
    }
}
