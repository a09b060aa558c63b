// The regions of an address space by address: an AVL tree whose nodes also form a list. Each subtree knows the
// largest hole inside it, so that a free place of a given size is found on one way down. All operations are logarithmic
// in the number of regions, whatever it is.

import Machine

/// Owns its nodes. Guarded by the address space's lock.
@safe struct RegionTree: ~Copyable {
    typealias Node = UnsafeMutablePointer<RegionNode>
    typealias Link = UnsafeMutablePointer<RegionNode>?

    private(set) var root: Link = nil
    private(set) var first: Link = nil
    /// Only while `append` builds the list.
    private var last: Link = nil
    private(set) var count = 0
    /// The region found last: page faults come in swarms.
    private var lastFound: Link = nil

    init() {}

    deinit {
        var each = unsafe first
        while let node = unsafe each {
            unsafe each = node.pointee.next
            unsafe Self.release(node)
        }
    }

    // MARK: Nodes

    static func make(_ node: consuming RegionNode) -> Node {
        let memory = unsafe KernelHeap.allocate(MemoryLayout<RegionNode>.size)
        let pointer = unsafe memory.bindMemory(to: RegionNode.self, capacity: 1)
        unsafe pointer.initialize(to: node)
        return unsafe pointer
    }

    static func release(_ node: Node) {
        unsafe node.deinitialize(count: 1)
        unsafe KernelHeap.free(node)
    }

    // MARK: Looking up

    /// The first region that ends behind `address`: it contains it, or is the next one above.
    @inline(__always)
    mutating func firstEndingBehind(_ address: UInt) -> Link {
        if let last = unsafe lastFound, unsafe last.pointee.start <= address,
            unsafe address < last.pointee.end
        {
            return unsafe last
        }
        let found = unsafe search(address)
        unsafe lastFound = found
        return unsafe found
    }

    @inline(__always)
    private func search(_ address: UInt) -> Link {
        var node = unsafe root
        var best: Link = nil
        while let each = unsafe node {
            if unsafe address < each.pointee.end {
                unsafe best = each
                if unsafe each.pointee.start <= address { break }
                unsafe node = each.pointee.left
            } else {
                unsafe node = each.pointee.right
            }
        }
        return unsafe best
    }

    /// The region that `address` lies in.
    @inline(__always)
    mutating func containing(_ address: UInt) -> Link {
        guard let node = unsafe firstEndingBehind(address), unsafe node.pointee.start <= address else {
            return nil
        }
        return unsafe node
    }

    /// The last region that starts below `address`.
    func lastStartingBelow(_ address: UInt) -> Link {
        var node = unsafe root
        var best: Link = nil
        while let each = unsafe node {
            if unsafe each.pointee.start < address {
                unsafe best = each
                unsafe node = each.pointee.right
            } else {
                unsafe node = each.pointee.left
            }
        }
        return unsafe best
    }

    /// Whether nothing lies in `start` ..< `end`.
    mutating func isFree(_ start: UInt, _ end: UInt) -> Bool {
        guard let node = unsafe firstEndingBehind(start) else { return true }
        return unsafe node.pointee.start >= end
    }

    /// The highest address of a hole of `size` bytes between `low` and `high`.
    func highestGap(_ size: UInt, from low: UInt, to high: UInt) -> UInt? {
        guard let end = unsafe Self.highestGap(root, size, low, high) else { return nil }
        return end &- size
    }

    /// The end of the highest hole of `size` bytes in `low` ..< `high`, in which `link`'s subtree and no other region lies.
    private static func highestGap(_ link: Link, _ size: UInt, _ low: UInt, _ high: UInt) -> UInt? {
        guard low < high, high &- low >= size else { return nil }
        guard let node = unsafe link else { return high }
        let before = unsafe node.pointee.lowest > low ? node.pointee.lowest &- low : 0
        let behind = unsafe high > node.pointee.highest ? high &- node.pointee.highest : 0
        guard unsafe max(before, behind, node.pointee.largestGap) >= size else { return nil }
        return unsafe highestGap(node.pointee.right, size, max(low, node.pointee.end), high)
            ?? highestGap(node.pointee.left, size, low, min(high, node.pointee.start))
    }

    // MARK: Changing

    /// Enters a node; its range is free.
    mutating func insert(_ node: Node) {
        let before = unsafe lastStartingBelow(node.pointee.start)
        let behind = unsafe before == nil ? first : before!.pointee.next
        unsafe node.pointee.previous = before
        unsafe node.pointee.next = behind
        if let before = unsafe before { unsafe before.pointee.next = node } else { unsafe first = node }
        if let behind = unsafe behind { unsafe behind.pointee.previous = node }
        unsafe root = Self.insert(node, into: root)
        unsafe lastFound = node
        count &+= 1
    }

    /// Takes a node out; the caller releases it.
    mutating func remove(_ node: Node) {
        if let before = unsafe node.pointee.previous {
            unsafe before.pointee.next = node.pointee.next
        } else {
            unsafe first = node.pointee.next
        }
        if let behind = unsafe node.pointee.next { unsafe behind.pointee.previous = node.pointee.previous }
        unsafe root = Self.remove(node, from: root)
        if unsafe lastFound == node { unsafe lastFound = nil }
        count &-= 1
    }

    /// Moves a node's ends; it stays between its neighbours. The object's page stays with its address.
    mutating func resize(_ node: Node, _ start: UInt, _ end: UInt) {
        let moved = unsafe Int(bitPattern: start &- node.pointee.start) / Int(pageSize)
        unsafe node.pointee.pageOffset &+= moved
        let way = unsafe node.pointee.start
        unsafe Self.refresh(root, way, node, start, end)
    }

    // MARK: Building at once

    /// Adds a node above all others to the list alone; the tree is wrong until `rebuild`.
    mutating func append(_ node: Node) {
        unsafe node.pointee.previous = last
        if let last = unsafe last { unsafe last.pointee.next = node } else { unsafe first = node }
        unsafe last = node
        count &+= 1
    }

    /// Makes the tree of the list, as flat as can be.
    mutating func rebuild() {
        var each = unsafe first
        unsafe root = Self.build(count, &each)
    }

    /// A tree of the `count` nodes from `each` on, which moves behind them.
    private static func build(_ count: Int, _ each: inout Link) -> Link {
        guard count > 0 else { return nil }
        let left = unsafe build(count / 2, &each)
        guard let node = unsafe each else { return nil }
        unsafe each = node.pointee.next
        unsafe node.pointee.left = left
        unsafe node.pointee.right = build(count - count / 2 - 1, &each)
        unsafe update(node)
        return unsafe node
    }

    // MARK: The tree

    @inline(__always)
    private static func height(_ link: Link) -> Int {
        if let node = unsafe link { return unsafe Int(node.pointee.height) }
        return 0
    }

    /// Computes what a node knows of its subtree from its children.
    @inline(__always)
    private static func update(_ node: Node) {
        var lowest = unsafe node.pointee.start
        var highest = unsafe node.pointee.end
        var gap: UInt = 0
        var height: UInt8 = 0
        if let left = unsafe node.pointee.left {
            unsafe gap = max(left.pointee.largestGap, lowest &- left.pointee.highest)
            unsafe lowest = left.pointee.lowest
            unsafe height = left.pointee.height
        }
        if let right = unsafe node.pointee.right {
            unsafe gap = max(gap, right.pointee.largestGap, right.pointee.lowest &- highest)
            unsafe highest = right.pointee.highest
            unsafe height = max(height, right.pointee.height)
        }
        unsafe node.pointee.lowest = lowest
        unsafe node.pointee.highest = highest
        unsafe node.pointee.largestGap = gap
        unsafe node.pointee.height = height &+ 1
    }

    private static func rotateRight(_ node: Node) -> Node {
        let top = unsafe node.pointee.left.unsafelyUnwrapped
        unsafe node.pointee.left = top.pointee.right
        unsafe top.pointee.right = node
        unsafe update(node)
        unsafe update(top)
        return unsafe top
    }

    private static func rotateLeft(_ node: Node) -> Node {
        let top = unsafe node.pointee.right.unsafelyUnwrapped
        unsafe node.pointee.right = top.pointee.left
        unsafe top.pointee.left = node
        unsafe update(node)
        unsafe update(top)
        return unsafe top
    }

    /// Restores the order of heights at `node`, whose subtrees are in order and differ by two at most.
    private static func balanced(_ node: Node) -> Node {
        let difference = unsafe height(node.pointee.left) &- height(node.pointee.right)
        if difference > 1 {
            let left = unsafe node.pointee.left.unsafelyUnwrapped
            if unsafe height(left.pointee.left) < height(left.pointee.right) {
                unsafe node.pointee.left = rotateLeft(left)
            }
            return unsafe rotateRight(node)
        }
        if difference < -1 {
            let right = unsafe node.pointee.right.unsafelyUnwrapped
            if unsafe height(right.pointee.right) < height(right.pointee.left) {
                unsafe node.pointee.right = rotateRight(right)
            }
            return unsafe rotateLeft(node)
        }
        unsafe update(node)
        return unsafe node
    }

    private static func insert(_ node: Node, into link: Link) -> Node {
        guard let tree = unsafe link else {
            unsafe node.pointee.left = nil
            unsafe node.pointee.right = nil
            unsafe update(node)
            return unsafe node
        }
        if unsafe node.pointee.start < tree.pointee.start {
            unsafe tree.pointee.left = insert(node, into: tree.pointee.left)
        } else {
            unsafe tree.pointee.right = insert(node, into: tree.pointee.right)
        }
        return unsafe balanced(tree)
    }

    private static func remove(_ node: Node, from link: Link) -> Link {
        guard let tree = unsafe link else { return nil }
        if unsafe tree == node {
            guard let right = unsafe node.pointee.right else { return unsafe node.pointee.left }
            guard let left = unsafe node.pointee.left else { return unsafe right }
            var lowest = unsafe right
            while let lower = unsafe lowest.pointee.left { unsafe lowest = lower }
            let rest = unsafe remove(lowest, from: right)
            unsafe lowest.pointee.right = rest
            unsafe lowest.pointee.left = left
            return unsafe balanced(lowest)
        }
        if unsafe node.pointee.start < tree.pointee.start {
            unsafe tree.pointee.left = remove(node, from: tree.pointee.left)
        } else {
            unsafe tree.pointee.right = remove(node, from: tree.pointee.right)
        }
        return unsafe balanced(tree)
    }

    /// Gives `node`, which is found by its old start `way`, new ends, and tells those above.
    private static func refresh(_ link: Link, _ way: UInt, _ node: Node, _ start: UInt, _ end: UInt) {
        guard let tree = unsafe link else { return }
        if unsafe tree == node {
            unsafe node.pointee.start = start
            unsafe node.pointee.end = end
        } else if unsafe way < tree.pointee.start {
            unsafe refresh(tree.pointee.left, way, node, start, end)
        } else {
            unsafe refresh(tree.pointee.right, way, node, start, end)
        }
        unsafe update(tree)
    }
}
