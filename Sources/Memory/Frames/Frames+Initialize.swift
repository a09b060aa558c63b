// How the frame allocator gets its memory at boot.

import Machine
import Primitives
import Synchronization

extension Frames {
    /// Starts the room. `usable` are the ranges of RAM that the direct map has, `reserved` what is in use inside them (the
    /// kernel's image and first tables, the initial ramdisk, boot information, the page of the
    /// trampoline); both in any order, overlapping or not. The first page of memory is never handed out. Boot CPU,
    /// once. Ends the kernel if no range has room for the frame table.
    ///
    /// Cost: two instructions a frame to clear its record, and a few for each 4 MiB block.
    public static func initialize(usable: [PhysicalRange], reserved: [PhysicalRange]) {
        let free = freeRanges(usable, reserved + [PhysicalRange(start: 0, end: 4096)])
        let end = usable.reduce(0) { max($0, $1.end) } / 4096
        let limit = UInt32(min(end, UInt64(UInt32.max)))
        let size = MemoryPlacement(limit: limit)
        guard let home = free.max(by: { $0.end - $0.start < $1.end - $1.start }),
            home.end - home.start >= UInt64(size.byteCount)
        else { memoryPanic("no memory for the table of \(limit) frames") }
        let state = unsafe size.place(at: PhysicalAddress(home.start).pointer)
        unsafe MemoryRoot.pointer = UnsafeMutableRawPointer(state)
        for range in free {
            let start = range == home ? home.start + UInt64(size.byteCount) : range.start
            add(PhysicalRange(start: start, end: range.end))
        }
    }

    /// Gives a range that was reserved at boot to the allocator: whole pages inside it only, and below the end of
    /// what `initialize` knew as usable.
    public static func add(_ range: PhysicalRange) {
        let state = unsafe MemoryState.current
        let first = (range.start &+ 4095) / 4096
        let last = unsafe min(range.end / 4096, UInt64(state.pointee.table.limit))
        guard first < last else { return }
        unsafe state.pointee.buddy.withLockInterruptsOff { buddy, _ in
            buddy.add(UInt32(first), UInt32(last))
            unsafe state.pointee.free.store(buddy.freeFrames, ordering: .relaxed)
            let total = unsafe state.pointee.total.wrappingAdd(Int(last - first), ordering: .relaxed).newValue
            unsafe state.pointee.watermark.store(watermark(total), ordering: .relaxed)
        }
    }

    /// A thirty-second of all memory, but at least 2 MiB, and never more than half.
    static func watermark(_ total: Int) -> Int { min(max(total / 32, 512), total / 2) }

    /// `usable` without `reserved`, in order, whole pages, not overlapping.
    static func freeRanges(_ usable: [PhysicalRange], _ reserved: [PhysicalRange]) -> [PhysicalRange] {
        var free: [PhysicalRange] = []
        for range in usable.sorted(by: { $0.start < $1.start }) {
            let start = max((range.start &+ 4095) & ~4095, free.last?.end ?? 0)
            let end = range.end & ~4095
            if start < end { free.append(PhysicalRange(start: start, end: end)) }
        }
        for hole in reserved where hole.start < hole.end {
            let from = hole.start & ~4095
            let to = (hole.end &+ 4095) & ~4095
            free = free.flatMap { range -> [PhysicalRange] in
                let before = PhysicalRange(start: range.start, end: min(range.end, max(range.start, from)))
                let after = PhysicalRange(start: max(range.start, min(range.end, to)), end: range.end)
                return [before, after].filter { $0.start < $0.end }
            }
        }
        return free
    }
}

/// Where each part of the room's state lies behind its start.
private struct MemoryPlacement {
    let limit: UInt32
    private static let stateBytes = (MemoryLayout<MemoryState>.size + 63) & ~63
    private static let slabBytes = (SlabClasses.byteCount + 63) & ~63
    private static let directoryBytes = CacheDirectory.byteCount
    private var tableStart: Int { Self.stateBytes + Self.slabBytes + Self.directoryBytes }

    init(limit: UInt32) { self.limit = limit }

    /// Whole pages.
    var byteCount: Int { (tableStart + Int(limit) * FrameTable.bytesPerFrame + 4095) & ~4095 }

    /// Makes the state at `base`, which has `byteCount` bytes that are nobody's.
    func place(at base: UnsafeMutableRawPointer) -> UnsafeMutablePointer<MemoryState> {
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        let slabs = unsafe SlabClasses(at: base + Self.stateBytes)
        let caches = unsafe CacheDirectory(at: base + Self.stateBytes + Self.slabBytes)
        let table = unsafe FrameTable(base: base + tableStart, limit: limit)
        let state = unsafe base.bindMemory(to: MemoryState.self, capacity: 1)
        unsafe state.initialize(to: MemoryState(table, slabs: slabs, caches: caches))
        return unsafe state
    }
}
