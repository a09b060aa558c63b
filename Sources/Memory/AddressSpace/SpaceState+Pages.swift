// Changing the page table: taking pages out, freeing tables that have become empty.

import Machine
import Primitives

extension SpaceState {
    /// Takes the pages `start` ..< `end`, which map `object`, out of the page table.
    mutating func zap(
        _ start: UInt, _ end: UInt, _ object: MemoryObject?, _ batch: inout FlushBatch,
        privateToo: Bool = true
    ) {
        var anonymous = 0
        var others = 0
        unsafe table.forEachLeaf(start, end) { address, slot, count in
            for index in 0..<count {
                let entry = unsafe slot[index]
                guard entry.value != 0, privateToo || !entry.contains(.anonymous) else { continue }
                unsafe slot[index] = .none
                let page = address &+ UInt(bitPattern: index) &* pageSize
                if entry.contains(.special) {
                    batch.touch(page, page &+ pageSize)
                    continue
                }
                if entry.contains(.anonymous) { anonymous &+= 1 } else { others &+= 1 }
                batch.add(Frame(containing: entry.address), at: page)
            }
        }
        usage.anonymousPages &-= anonymous
        if others > 0 { countObject(object, -others) }
    }

    /// Frees the tables that serve `start` ..< `end` and nothing outside `floor` ..< `ceiling`, between which nothing
    /// is mapped.
    mutating func freeTables(
        _ start: UInt, _ end: UInt, floor: UInt, ceiling: UInt, _ batch: inout FlushBatch
    ) {
        // The lowest tables serve 2 MiB: most ranges have none for themselves.
        let span = PageTableLevel.span(level: 2)
        let lowest = max(start & ~(span &- 1), (floor &+ span &- 1) & ~(span &- 1))
        guard lowest < end, lowest &+ span <= ceiling else { return }
        let place = TableRange(start: start, end: end, floor: floor, ceiling: ceiling)
        unsafe usage.tablePages &-= Self.freeTables(in: table.root, 4, place) { frame, start in
            batch.addTable(frame, start)
        }
    }

    private struct TableRange {
        let start: UInt
        let end: UInt
        let floor: UInt
        let ceiling: UInt
    }

    /// Frees tables that entries of the table at `table`, of level `level`, lead to; returns how many.
    private static func freeTables(
        in table: PhysicalAddress, _ level: Int, _ place: TableRange, _ free: (Frame, UInt) -> Void
    ) -> Int {
        let span = PageTableLevel.span(level: level)
        var freed = 0
        var base = place.start & ~(span &- 1)
        // No wrap: user addresses end far below.
        let stop = min(place.end, base &+ span &* 512)
        while base < stop {
            let slot = unsafe PageTable.entries(table) + PageTableLevel.index(base, level: level)
            let entry = unsafe slot.pointee
            if entry.isPresent {
                if level > 2 {
                    let part = TableRange(
                        start: max(place.start, base), end: min(place.end, base &+ span), floor: place.floor,
                        ceiling: place.ceiling)
                    freed &+= freeTables(in: entry.address, level &- 1, part, free)
                }
                if base >= place.floor, base &+ span <= place.ceiling {
                    unsafe slot.pointee = .none
                    free(Frame(containing: entry.address), base)
                    freed &+= 1
                }
            }
            base &+= span
        }
        return freed
    }

    /// Gives everything back, when no CPU uses the page table any more: nothing need be forgotten, so frames go at
    /// once. The nodes go with the tree.
    mutating func tearDown(_ space: AddressSpace) {
        var each = unsafe regions.first
        while let node = unsafe each {
            unsafe each = node.pointee.next
            unsafe releasePages(node.pointee.start, node.pointee.end)
            // What lies below is gone already.
            let place = unsafe TableRange(
                start: node.pointee.start, end: node.pointee.end, floor: 0,
                ceiling: each == nil ? KernelLayout.userEnd : each!.pointee.start)
            unsafe _ = Self.freeTables(in: table.root, 4, place) { frame, _ in Frames.freeZeroed(frame) }
            unsafe node.pointee.object?.removeMapping(space)
        }
    }

    private func releasePages(_ start: UInt, _ end: UInt) {
        unsafe table.forEachLeaf(start, end) { _, slot, count in
            for index in 0..<count {
                let entry = unsafe slot[index]
                guard entry.value != 0 else { continue }
                unsafe slot[index] = .none
                if !entry.contains(.special) { Frames.release(Frame(containing: entry.address)) }
            }
        }
    }
}
