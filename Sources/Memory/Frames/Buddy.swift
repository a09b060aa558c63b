// The buddy allocator: free memory in blocks of 2^order frames, aligned to their size. A block
// taken is split down to what is wanted; a block given back merges with its buddy (the other half of the block
// twice the size) as long as that is free too. All state is in the frame table and a list head for each order.

import Machine

/// The free blocks. Guarded by the lock in `MemoryState`; interrupts off.
struct Buddy: ~Copyable {
    /// The largest block: 2^10 frames, 4 MiB.
    static let maximumOrder = 10

    private let table: FrameTable
    /// First block of each order's list; frame 0 is never free, so 0 means none.
    private var heads = InlineArray<11, UInt32>(repeating: 0)
    /// A bit for each order whose list is not empty.
    private var orders: UInt32 = 0
    /// Blocks in each list.
    private(set) var counts = InlineArray<11, Int>(repeating: 0)
    /// Frames in all lists.
    private(set) var freeFrames = 0

    init(_ table: FrameTable) { self.table = table }

    private mutating func push(_ frame: UInt32, _ order: Int) {
        table.push(frame, &heads[order])
        table[frame].kind = .free
        table[frame].order = UInt8(truncatingIfNeeded: order)
        orders |= 1 << UInt32(order)
        counts[order] &+= 1
    }

    private mutating func remove(_ frame: UInt32, _ order: Int) {
        table.remove(frame, &heads[order])
        table[frame].kind = .none
        counts[order] &-= 1
        if heads[order] == 0 { orders &= ~(1 << UInt32(order)) }
    }

    /// A block of 2^`order` frames, nil if there is none. The caller sets its kind.
    mutating func allocate(order: Int) -> UInt32? {
        let fitting = orders & ~((1 << UInt32(order)) &- 1)
        guard fitting != 0 else { return nil }
        var found = fitting.trailingZeroBitCount
        let frame = heads[found]
        remove(frame, found)
        while found > order {
            found &-= 1
            push(frame &+ 1 << UInt32(found), found)
        }
        freeFrames &-= 1 << order
        return frame
    }

    /// Takes a block back. Its frames are nobody's, and its kind is not `.free`.
    mutating func free(_ block: UInt32, order blockOrder: Int) {
        var frame = block
        var order = blockOrder
        table[frame].kind = .none
        freeFrames &+= 1 << order
        while order < Self.maximumOrder {
            let buddy = frame ^ (1 << UInt32(order))
            guard buddy < table.limit, table[buddy].kind == .free, Int(table[buddy].order) == order
            else { break }
            remove(buddy, order)
            frame &= buddy
            order &+= 1
        }
        push(frame, order)
    }

    /// Adds the frames `start` ..< `end`, never seen before, in the largest blocks that fit.
    mutating func add(_ start: UInt32, _ end: UInt32) {
        var frame = start
        while frame < end {
            var order = min(frame.trailingZeroBitCount, Self.maximumOrder)
            while end &- frame < 1 << UInt32(order) { order &-= 1 }
            free(frame, order: order)
            frame &+= 1 << UInt32(order)
        }
    }
}
