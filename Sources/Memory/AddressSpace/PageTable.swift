// A page table of four levels, reached through the direct map. Tables of user mappings are frames
// all zero when nothing is mapped below them, so that freeing and reusing them costs no clearing.

import Machine
import Primitives

/// The table at `root`. Holds no ownership; whoever holds the lock of the address space (or of the kernel's tables) may
/// use it.
@unsafe struct PageTable {
    typealias Slot = UnsafeMutablePointer<PageTableEntry>

    let root: PhysicalAddress

    @inline(__always)
    init(root: PhysicalAddress) { unsafe self.root = root }

    /// The entries of the table in the frame at `address`.
    @inline(__always)
    static func entries(_ address: PhysicalAddress) -> Slot {
        // A table is a whole frame in the direct map.
        unsafe address.pointer.assumingMemoryBound(to: PageTableEntry.self)
    }

    /// An entry of the top level.
    @inline(__always)
    func top(_ index: Int) -> Slot { unsafe Self.entries(root) + index }

    /// The entry of a table for `address`.
    @inline(__always)
    private static func slot(_ table: PhysicalAddress, _ address: UInt, _ level: Int) -> Slot {
        unsafe entries(table) + PageTableLevel.index(address, level: level)
    }

    /// The table that `slot` leads to, made of a frame for `use` where there is none.
    @inline(__always)
    private static func next(
        _ slot: Slot, _ use: FrameUse, _ flags: PageTableEntry.Flags, _ made: inout Int
    ) -> PhysicalAddress? {
        let entry = unsafe slot.pointee
        if entry.isPresent { return entry.address }
        guard let frame = Frames.allocateZeroed(use: use) else { return nil }
        unsafe slot.pointee = PageTableEntry(frame.address, flags)
        made &+= 1
        return frame.address
    }

    @inline(__always)
    private func make(
        _ address: UInt, _ use: FrameUse, _ flags: PageTableEntry.Flags, _ made: inout Int
    ) -> Slot? {
        guard let third = unsafe Self.next(Self.slot(root, address, 4), use, flags, &made),
            let second = unsafe Self.next(Self.slot(third, address, 3), use, flags, &made),
            let first = unsafe Self.next(Self.slot(second, address, 2), use, flags, &made)
        else { return nil }
        return unsafe Self.slot(first, address, 1)
    }

    /// The entry of level 1 for `address` of a user mapping, its tables made where there are none; nil if user programs
    /// get no more memory. `made` counts new tables.
    @inline(__always)
    func userEntry(at address: UInt, _ made: inout Int) -> Slot? {
        unsafe make(address, .user, [.present, .writable, .user], &made)
    }

    /// The same for a page of the kernel's.
    func kernelEntry(at address: UInt) -> Slot? {
        var made = 0
        return unsafe make(address, .kernel, [.present, .writable], &made)
    }

    /// The entry of level 1 for `address`, or none where the tables do not reach so far; and how many bytes the
    /// table that was looked at last covers.
    @inline(__always)
    func find(_ address: UInt) -> (slot: Slot?, span: UInt) {
        let fourth = unsafe Self.slot(root, address, 4).pointee
        guard fourth.isPresent else { return (nil, PageTableLevel.span(level: 4)) }
        let third = unsafe Self.slot(fourth.address, address, 3).pointee
        guard third.isPresent else { return (nil, PageTableLevel.span(level: 3)) }
        let second = unsafe Self.slot(third.address, address, 2).pointee
        guard second.isPresent else { return (nil, PageTableLevel.span(level: 2)) }
        return unsafe (Self.slot(second.address, address, 1), PageTableLevel.span(level: 2))
    }

    /// The entry of level 1 for `address`, nil if the tables do not reach so far.
    @inline(__always)
    func entry(at address: UInt) -> Slot? { unsafe find(address).slot }

    /// Calls `body` for each table of level 1 that there is between `start` and `end`: with the first address in the
    /// range, its entry, and the number of entries in the range.
    @inline(__always)
    func forEachLeaf<E>(
        _ start: UInt, _ end: UInt, _ body: (UInt, Slot, Int) throws(E) -> Void
    ) throws(E) {
        var address = start
        while address < end {
            let (slot, span) = unsafe find(address)
            let next = (address & ~(span &- 1)) &+ span
            if let slot = unsafe slot {
                let pages = (min(next, end) &- address) / pageSize
                try unsafe body(address, slot, Int(bitPattern: pages))
            }
            address = next
        }
    }
}
