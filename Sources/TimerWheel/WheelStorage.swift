// The wheel's memory, and all arithmetic with addresses in it.
//
// A row for each level, 2048 bytes at a multiple of 2048, so that a slot's address tells row and slot:
//
//        0  64 slots: heads of rings, 16 bytes each
//     1024  the earliest expiry in each slot
//     1536  a bit for each slot with timers in it
//
// and one more row, whose first two slots are not for ticks (`due`, `moving`), with tables between their heads and 1024:
//
//      256  for the highest bit in which two ticks differ: how far the level's six bits are shifted (1 byte each)
//      320  for the same bit: where the level's row begins (2 bytes each)

/// A place in a ring of places.
@unsafe @frozen @usableFromInline struct TimerLink {
    /// nil in a timer that is not pending.
    @usableFromInline var next: UnsafeMutablePointer<TimerLink>?
    @usableFromInline var previous: UnsafeMutablePointer<TimerLink>?

    @inlinable
    init(next: UnsafeMutablePointer<TimerLink>? = nil, previous: UnsafeMutablePointer<TimerLink>? = nil) {
        unsafe self.next = unsafe next
        unsafe self.previous = unsafe previous
    }
}

@usableFromInline enum WheelLayout {
    @inlinable static var levels: Int { 11 }
    @inlinable static var slotsPerLevel: Int { 64 }
    @inlinable static var bitsPerLevel: Int { 6 }
    @inlinable static var rowSize: Int { 2048 }
    @inlinable static var earliestOffset: Int { 1024 }
    @inlinable static var occupiedOffset: Int { 1536 }
    @inlinable static var dueOffset: Int { levels &* rowSize }
    @inlinable static var movingOffset: Int { dueOffset &+ 16 }
    @inlinable static var shiftsOffset: Int { dueOffset &+ 256 }
    @inlinable static var rowsOffset: Int { dueOffset &+ 320 }
}

/// Allocated by `init`, given back by `free`. Every place that is handed out lies within.
@unsafe @frozen @usableFromInline struct WheelStorage {
    @usableFromInline typealias Link = UnsafeMutablePointer<TimerLink>

    @usableFromInline let start: UnsafeMutableRawPointer
    /// Rows below have no timers.
    @usableFromInline var lowest: UnsafeMutableRawPointer

    init() {
        let byteCount = (WheelLayout.levels + 1) * WheelLayout.rowSize
        unsafe start = .allocate(byteCount: byteCount, alignment: WheelLayout.rowSize)
        unsafe lowest = unsafe start
        unsafe start.initializeMemory(as: UInt64.self, repeating: 0, count: byteCount / 8)
        for level in 0...WheelLayout.levels {
            let row = unsafe start + level * WheelLayout.rowSize
            for slot in 0..<WheelLayout.slotsPerLevel {
                let head = unsafe Self.head(row, slot)
                if level < WheelLayout.levels || slot < 2 {
                    unsafe head.initialize(to: TimerLink(next: head, previous: head))
                }
                unsafe Self.earliest(head).pointee = .max
            }
        }
        for bit in 0..<64 {
            let level = bit / WheelLayout.bitsPerLevel
            let shift = UInt8(level * WheelLayout.bitsPerLevel)
            unsafe (start + WheelLayout.shiftsOffset + bit).storeBytes(of: shift, as: UInt8.self)
            let row = UInt16(level * WheelLayout.rowSize)
            unsafe (start + WheelLayout.rowsOffset + bit * 2).storeBytes(of: row, as: UInt16.self)
        }
    }

    func free() { unsafe start.deallocate() }

    /// Timers of a tick that has come.
    @inlinable @inline(__always)
    var due: Link { unsafe (start + WheelLayout.dueOffset).assumingMemoryBound(to: TimerLink.self) }

    /// Timers of a slot that is worked off.
    @inlinable @inline(__always)
    var moving: Link { unsafe (start + WheelLayout.movingOffset).assumingMemoryBound(to: TimerLink.self) }

    @inlinable @inline(__always)
    static func isEmpty(_ head: Link) -> Bool { unsafe head.pointee.next == head }

    /// The slot for timers of `expiry` in a wheel that has been worked off up to `base`, marked as occupied, and where the
    /// earliest expiry in it is noted.
    @inlinable @inline(__always)
    mutating func occupy(_ expiry: UInt64, base: UInt64) -> (Link, earliest: UnsafeMutablePointer<UInt64>) {
        // The highest bit that differs, 0 if none does.
        let bit = 63 &- ((expiry ^ base) | 1).leadingZeroBitCount
        // Both tables have an entry for each of 64 bits.
        let shift = unsafe (start + WheelLayout.shiftsOffset).assumingMemoryBound(to: UInt8.self)[bit]
        let offset = unsafe (start + WheelLayout.rowsOffset).assumingMemoryBound(to: UInt16.self)[bit]
        let row = unsafe start + Int(offset)
        let place = expiry &>> UInt64(shift)
        unsafe Self.occupied(row).pointee |= 1 &<< place
        if unsafe row < lowest { unsafe lowest = unsafe row }
        let earliest = unsafe (row + WheelLayout.earliestOffset).assumingMemoryBound(to: UInt64.self)
        let slot = Int(truncatingIfNeeded: place & 63)
        return unsafe (Self.head(row, slot), earliest + slot)
    }

    /// Marks a slot as empty, whose ring is. (What that does to `due` and `moving` means nothing.)
    @inlinable @inline(__always)
    static func vacate(_ head: Link) {
        let slot = UInt64(UInt(bitPattern: head) &>> 4)
        unsafe occupied(row(head)).pointee &= ~(1 &<< slot)
        unsafe earliest(head).pointee = .max
    }

    /// The first row with timers, nil without timers.
    @inlinable @inline(__always)
    var firstRow: UnsafeMutableRawPointer? {
        var row = unsafe lowest
        let end = unsafe start + WheelLayout.dueOffset
        while unsafe row != end {
            if unsafe Self.occupied(row).pointee != 0 { return unsafe row }
            unsafe row += WheelLayout.rowSize
        }
        return nil
    }

    /// The slot whose timers expire before all others, nil without timers.
    @inlinable @inline(__always)
    var first: Link? {
        guard let row = unsafe firstRow else { return nil }
        return unsafe Self.head(row, Self.occupied(row).pointee.trailingZeroBitCount)
    }

    /// The same, and the next look begins at its row.
    @inlinable @inline(__always)
    mutating func findFirst() -> Link? {
        guard let row = unsafe firstRow else { return nil }
        unsafe lowest = unsafe row
        return unsafe Self.head(row, Self.occupied(row).pointee.trailingZeroBitCount)
    }

    /// Whether the slot's timers are all of one tick.
    @inlinable @inline(__always)
    func isOfOneTick(_ head: Link) -> Bool {
        unsafe UnsafeMutableRawPointer(head) < start + WheelLayout.rowSize
    }

    @inlinable @inline(__always)
    static func head(_ row: UnsafeMutableRawPointer, _ slot: Int) -> Link {
        unsafe (row + slot &<< 4).assumingMemoryBound(to: TimerLink.self)
    }

    @inlinable @inline(__always)
    static func occupied(_ row: UnsafeMutableRawPointer) -> UnsafeMutablePointer<UInt64> {
        unsafe (row + WheelLayout.occupiedOffset).assumingMemoryBound(to: UInt64.self)
    }

    @inlinable @inline(__always)
    static func row(_ head: Link) -> UnsafeMutableRawPointer {
        let inRow = Int(bitPattern: head) & (WheelLayout.rowSize &- 1)
        return unsafe UnsafeMutableRawPointer(head) - inRow
    }

    /// The earliest expiry in the slot.
    @inlinable @inline(__always)
    static func earliest(_ head: Link) -> UnsafeMutablePointer<UInt64> {
        let inRow = Int(bitPattern: head) & (WheelLayout.rowSize &- 1)
        return unsafe (row(head) + (WheelLayout.earliestOffset &+ inRow &>> 1)).assumingMemoryBound(
            to: UInt64.self)
    }
}
