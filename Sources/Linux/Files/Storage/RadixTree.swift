// A sparse array of words: page number to frame, offset to directory entry, device number to driver.
//
// A tree of nodes with 64 slots, as high as the largest index needs. Access costs one step a level:
// one up to index 63, two up to 4095, three up to 262,143. Nodes are the only memory, so nothing large is ever
// allocated in one piece, and empty nodes are given back. A bit map in each node finds the next used slot.
//
// Invariants: a slot of an inner node is used exactly if its subtree holds a word; words are never 0.
// Its owner's lock protects it.

/// A sparse array of words that are not 0.
@safe public struct RadixTree: ~Copyable {
    private static let bits: UInt = 6
    private static let mask: UInt = 63

    struct Node {
        var used: UInt64 = 0
        var slots = InlineArray<64, UInt>(repeating: 0)
    }

    /// The topmost node, nil while empty. Nodes belong to the tree alone and are reached only through it.
    private var root: UnsafeMutablePointer<Node>? = nil
    /// Levels below the topmost node.
    private var height: UInt = 0
    /// Words stored.
    public private(set) var count = 0

    public init() {}

    deinit { if let top = unsafe root { unsafe Self.free(top, height) { _ in } } }

    @inline(__always)
    private static func shift(_ height: UInt) -> UInt { height &* bits }

    @inline(__always)
    private static func child(_ word: UInt) -> UnsafeMutablePointer<Node> {
        // Used slots of inner nodes hold nothing but addresses of nodes.
        unsafe (UnsafeMutablePointer<Node>(bitPattern: word)).unsafelyUnwrapped
    }

    private static func makeNode() -> UnsafeMutablePointer<Node> {
        let node = UnsafeMutablePointer<Node>.allocate(capacity: 1)
        unsafe node.initialize(to: Node())
        return unsafe node
    }

    /// Indexes a tree of this height can hold.
    @inline(__always)
    private func holds(_ index: UInt) -> Bool {
        let shift = Self.shift(height &+ 1)
        return shift >= 64 || index >> shift == 0
    }

    /// The word at `index`, 0 where there is none.
    @inline(__always)
    public subscript(index: UInt) -> UInt {
        guard var node = unsafe root, holds(index) else { return 0 }
        var level = height
        while level > 0 {
            let word = unsafe node.pointee.slots[
                unchecked: Int(bitPattern: index >> Self.shift(level) & Self.mask)]
            if word == 0 { return 0 }
            unsafe node = Self.child(word)
            level &-= 1
        }
        return unsafe node.pointee.slots[unchecked: Int(bitPattern: index & Self.mask)]
    }

    /// Stores a word that is not 0, and returns what was there.
    @discardableResult
    public mutating func set(_ index: UInt, _ word: UInt) -> UInt {
        precondition(word != 0, "a radix tree holds no zero words")
        grow(to: index)
        guard var node = unsafe root else { return 0 }
        var level = height
        while level > 0 {
            let slot = Int(bitPattern: index >> Self.shift(level) & Self.mask)
            var next = unsafe node.pointee.slots[unchecked: slot]
            if next == 0 {
                next = unsafe UInt(bitPattern: Self.makeNode())
                unsafe node.pointee.slots[unchecked: slot] = next
                unsafe node.pointee.used |= 1 << UInt64(slot)
            }
            unsafe node = Self.child(next)
            level &-= 1
        }
        let slot = Int(bitPattern: index & Self.mask)
        let old = unsafe node.pointee.slots[unchecked: slot]
        unsafe node.pointee.slots[unchecked: slot] = word
        unsafe node.pointee.used |= 1 << UInt64(slot)
        if old == 0 { count &+= 1 }
        return old
    }

    private mutating func grow(to index: UInt) {
        if unsafe root == nil {
            unsafe root = Self.makeNode()
            height = 0
            while !holds(index) { height &+= 1 }
            return
        }
        while !holds(index), let top = unsafe root {
            let node = unsafe Self.makeNode()
            unsafe node.pointee.slots[0] = UInt(bitPattern: top)
            unsafe node.pointee.used = 1
            unsafe root = node
            height &+= 1
        }
    }

    /// Takes the word at `index` out and returns it, 0 where there is none.
    @discardableResult
    public mutating func remove(_ index: UInt) -> UInt {
        guard let top = unsafe root, holds(index) else { return 0 }
        let old = unsafe Self.remove(index, from: top, height)
        if old != 0 { count &-= 1 }
        if unsafe top.pointee.used == 0 {
            unsafe top.deallocate()
            unsafe root = nil
        }
        return old
    }

    /// Recursion is at most 11 deep.
    private static func remove(_ index: UInt, from node: UnsafeMutablePointer<Node>, _ level: UInt) -> UInt {
        let slot = Int(bitPattern: index >> shift(level) & mask)
        let word = unsafe node.pointee.slots[slot]
        if word == 0 { return 0 }
        var removed = word
        if level > 0 {
            let below = unsafe child(word)
            removed = unsafe remove(index, from: below, level &- 1)
            guard unsafe below.pointee.used == 0 else { return removed }
            unsafe below.deallocate()
        }
        unsafe node.pointee.slots[slot] = 0
        unsafe node.pointee.used &= ~(1 << UInt64(slot))
        return removed
    }

    /// The first stored word at `index` or above.
    public func next(from index: UInt) -> (index: UInt, word: UInt)? {
        guard let top = unsafe root, holds(index) else { return nil }
        return unsafe Self.next(from: index, in: top, height)
    }

    private static func next(
        from index: UInt, in node: UnsafeMutablePointer<Node>, _ level: UInt
    ) -> (index: UInt, word: UInt)? {
        let shift = shift(level)
        let first = index >> shift & mask
        let above = ~(((UInt(1) << shift) << bits) &- 1)
        var used = unsafe UInt(node.pointee.used) & ~0 << first
        while used != 0 {
            let slot = UInt(used.trailingZeroBitCount)
            let word = unsafe node.pointee.slots[Int(slot)]
            let start = slot == first ? index : (index & above | slot << shift)
            if level == 0 { return (index & ~mask | slot, word) }
            if let found = unsafe next(from: start, in: child(word), level &- 1) { return found }
            used &= used &- 1
        }
        return nil
    }

    /// The first index at `index` or above where nothing is stored.
    public func nextFree(from index: UInt) -> UInt {
        var at = index
        while let (found, _) = next(from: at), found == at { at &+= 1 }
        return at
    }

    /// Empties the tree; `each` gets every word.
    public mutating func removeAll(_ each: (UInt) -> Void) {
        if let top = unsafe root { unsafe Self.free(top, height, each) }
        unsafe root = nil
        height = 0
        count = 0
    }

    private static func free(_ node: UnsafeMutablePointer<Node>, _ level: UInt, _ each: (UInt) -> Void) {
        var used = unsafe node.pointee.used
        while used != 0 {
            let slot = used.trailingZeroBitCount
            let word = unsafe node.pointee.slots[slot]
            if level > 0 { unsafe free(child(word), level &- 1, each) } else { each(word) }
            used &= used &- 1
        }
        unsafe node.deallocate()
    }
}
