// A queue of elements in order of a 64-bit key (a virtual run time, an expiry time), intrusive: the
// links lie in the elements, so putting one in or taking one out allocates nothing.
//
// A red-black tree with its first node cached. Invariants: every path from the root to a leaf has as
// many black nodes; a red node has no red child; `first` is the leftmost node. Equal keys leave in
// the order they came.

/// Elements in order of their key. Insertion and removal take O(log n), reading the first O(1).
/// The caller holds the lock that guards the queue and its nodes.
@unsafe public struct OrderedQueue: ~Copyable {
    public typealias Pointer = OrderedNode.Pointer

    var root: Pointer? = nil
    /// The node with the smallest key.
    public private(set) var first: Pointer? = nil

    public init() {}

    public var isEmpty: Bool { unsafe first == nil }

    /// Whether `node` is in the queue and all alone there.
    public func isOnly(_ node: Pointer) -> Bool {
        unsafe root == node && node.pointee.left == nil && node.pointee.right == nil
    }

    /// Puts `node` behind all nodes with the same or a smaller key; true if it is now the first.
    @inline(__always)
    public mutating func insert(_ node: Pointer) -> Bool {
        guard unsafe root != nil else {
            unsafe link(node, below: nil, onLeft: false)
            unsafe node.pointee.setBlack()
            unsafe first = node
            return true
        }
        let key = unsafe node.pointee.key
        var parent: Pointer? = nil
        var isFirst = true
        var onLeft = false
        var next = unsafe root
        while let here = unsafe next {
            unsafe parent = here
            onLeft = unsafe key < here.pointee.key
            if onLeft {
                unsafe next = here.pointee.left
            } else {
                unsafe next = here.pointee.right
                isFirst = false
            }
        }
        unsafe link(node, below: parent, onLeft: onLeft)
        if isFirst { unsafe first = node }
        unsafe rebalanceAfterInsertion(of: node)
        return isFirst
    }

    @inline(__always)
    private mutating func link(_ node: Pointer, below parent: Pointer?, onLeft: Bool) {
        unsafe node.pointee.left = nil
        unsafe node.pointee.right = nil
        unsafe node.pointee.parentAndColor = UInt(bitPattern: parent)
        guard let parent = unsafe parent else {
            unsafe root = node
            return
        }
        if onLeft { unsafe parent.pointee.left = node } else { unsafe parent.pointee.right = node }
    }

    /// Takes `node`, which must be in this queue, out of it.
    @inline(__always)
    public mutating func remove(_ node: Pointer) {
        if unsafe first == node {
            if unsafe root == node && node.pointee.right == nil {
                unsafe root = nil
                unsafe first = nil
                unsafe node.pointee.parentAndColor = 0
                return
            }
            unsafe first = Self.next(after: node)
        }
        unsafe unlink(node)
        unsafe node.pointee.parentAndColor = 0
    }

    /// Takes out the first node.
    @inline(__always)
    public mutating func popFirst() -> Pointer? {
        guard let node = unsafe first else { return nil }
        unsafe remove(node)
        return unsafe node
    }

    /// The node that follows `node` in its queue.
    public static func next(after node: Pointer) -> Pointer? {
        if var here = unsafe node.pointee.right {
            while let left = unsafe here.pointee.left { unsafe here = left }
            return unsafe here
        }
        var here = unsafe node
        while let parent = unsafe here.pointee.parent {
            if unsafe parent.pointee.left == here { return unsafe parent }
            unsafe here = parent
        }
        return nil
    }
}
