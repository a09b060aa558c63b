// The frames of an object by page number: a radix tree of 64 ways that grows with the highest page. The first
// page needs no node, so a small file costs no more than its frame.

import Machine

/// Page numbers to frames. Owns its nodes, not the frames. Guarded by its owner's lock. Look-up is six instructions
/// for each level; three levels reach 1 GiB.
@safe struct PageTree: ~Copyable {
    /// 64 words: frame numbers in the lowest level, addresses of nodes above; 0 for none.
    private typealias Node = UnsafeMutablePointer<UInt>
    private static let bits: UInt = 6
    private static let ways = 64

    /// Levels of nodes; with none, `top` is the frame of page 0.
    private var height: UInt = 0
    private var top: UInt = 0
    /// Pages that are there.
    private(set) var count = 0

    init() {}

    deinit { if height > 0 { unsafe Self.release(Self.node(top), height) } }

    @inline(__always)
    private static func node(_ word: UInt) -> Node {
        // Only words that `makeNode` returned are followed, and nodes live as long as the tree.
        unsafe Node(bitPattern: word).unsafelyUnwrapped
    }

    private static func makeNode() -> UInt {
        let node = unsafe KernelHeap.allocate(ways * MemoryLayout<UInt>.stride)
        unsafe node.initializeMemory(as: UInt.self, repeating: 0, count: ways)
        return UInt(bitPattern: node)
    }

    /// Frees a node of level `level` and those below it.
    private static func release(_ node: Node, _ level: UInt) {
        if level > 1 {
            for index in 0..<ways where unsafe node[index] != 0 {
                unsafe release(self.node(node[index]), level - 1)
            }
        }
        unsafe KernelHeap.free(node)
    }

    @inline(__always)
    private static func index(_ page: UInt, _ level: UInt) -> Int {
        Int(bitPattern: page &>> ((level &- 1) &* bits)) & (ways &- 1)
    }

    /// Whether the tree is high enough for `page`.
    @inline(__always)
    private func reaches(_ page: UInt) -> Bool {
        height &* Self.bits >= 64 || page &>> (height &* Self.bits) == 0
    }

    /// The frame of `page`.
    @inline(__always)
    subscript(_ page: Int) -> Frame? {
        let page = UInt(bitPattern: page)
        guard reaches(page) else { return nil }
        var word = top
        var level = height
        while level > 0 {
            guard word != 0 else { return nil }
            word = unsafe Self.node(word)[Self.index(page, level)]
            level &-= 1
        }
        return word == 0 ? nil : Frame(UInt32(truncatingIfNeeded: word))
    }

    /// Enters a frame for a page that has none.
    mutating func insert(_ page: Int, _ frame: Frame) {
        let page = UInt(bitPattern: page)
        while !reaches(page) {
            let node = Self.makeNode()
            unsafe Self.node(node)[0] = top
            top = node
            height &+= 1
        }
        count &+= 1
        guard height > 0 else { return top = UInt(frame.number) }
        var node = unsafe Self.node(top)
        var level = height
        while level > 1 {
            let index = Self.index(page, level)
            if unsafe node[index] == 0 { unsafe node[index] = Self.makeNode() }
            unsafe node = Self.node(node[index])
            level &-= 1
        }
        unsafe node[Self.index(page, 1)] = UInt(frame.number)
    }

    /// Takes out all pages from `first` up to and without `end`, and calls `body` for each.
    mutating func remove(_ first: Int, _ end: Int = .max, _ body: (Int, Frame) -> Void) {
        guard first < end else { return }
        if height == 0 {
            guard first == 0, top != 0 else { return }
            body(0, Frame(UInt32(truncatingIfNeeded: top)))
            top = 0
            count = 0
            return
        }
        var removed = 0
        if unsafe Self.remove(
            Self.node(top), height, 0, UInt(bitPattern: first), UInt(bitPattern: end), &removed, body)
        {
            unsafe KernelHeap.free(Self.node(top))
            top = 0
            height = 0
        }
        count &-= removed
    }

    /// Takes pages out below `node`, whose first page is `base`; true when the node is empty then.
    private static func remove(
        _ node: Node, _ level: UInt, _ base: UInt, _ first: UInt, _ end: UInt, _ removed: inout Int,
        _ body: (Int, Frame) -> Void
    ) -> Bool {
        let shift = (level &- 1) &* bits
        var isEmpty = true
        for index in 0..<ways where unsafe node[index] != 0 {
            let start = base &+ UInt(index) &<< shift
            let last = start &+ (1 &<< shift &- 1)
            if last < first || start >= end {
                isEmpty = false
            } else if level == 1 {
                body(Int(bitPattern: start), unsafe Frame(UInt32(truncatingIfNeeded: node[index])))
                unsafe node[index] = 0
                removed &+= 1
            } else if unsafe remove(self.node(node[index]), level &- 1, start, first, end, &removed, body) {
                unsafe KernelHeap.free(self.node(node[index]))
                unsafe node[index] = 0
            } else {
                isEmpty = false
            }
        }
        return isEmpty
    }

    /// The first page from `page` up that is there.
    func next(from page: Int) -> Int? {
        guard height > 0 else { return page <= 0 && top != 0 ? 0 : nil }
        return unsafe Self.next(Self.node(top), height, 0, UInt(bitPattern: page)).map { Int(bitPattern: $0) }
    }

    private static func next(_ node: Node, _ level: UInt, _ base: UInt, _ page: UInt) -> UInt? {
        let shift = (level &- 1) &* bits
        for index in 0..<ways where unsafe node[index] != 0 {
            let start = base &+ UInt(index) &<< shift
            guard start &+ (1 &<< shift &- 1) >= page else { continue }
            if level == 1 { return start }
            if let found = unsafe next(self.node(node[index]), level &- 1, start, page) { return found }
        }
        return nil
    }
}
