// What an element of an `OrderedQueue` carries in itself: three links and the key.

/// The links of one element of an `OrderedQueue`. A zeroed node is in no queue. The element's owner
/// keeps it at a stable address while it is in a queue, and the queue's lock guards all of it.
@unsafe public struct OrderedNode {
    public typealias Pointer = UnsafeMutablePointer<OrderedNode>

    /// Address of the parent; bit 0 is set in a black node. 0 in a node that is in no queue (the root
    /// is black, so its word is 1).
    var parentAndColor: UInt = 0
    var left: Pointer? = nil
    var right: Pointer? = nil
    /// The place in the order. Not to be changed while the node is in a queue.
    public var key: UInt64

    @inline(__always)
    public init(key: UInt64 = 0) { unsafe self.key = key }

    /// Whether the node is in a queue.
    @inline(__always)
    public var isLinked: Bool { unsafe parentAndColor != 0 }

    @inline(__always)
    var parent: Pointer? { unsafe Pointer(bitPattern: parentAndColor & ~1) }

    @inline(__always)
    var isBlack: Bool { unsafe parentAndColor & 1 != 0 }

    @inline(__always)
    mutating func setParent(_ parent: Pointer?) {
        unsafe parentAndColor = (parentAndColor & 1) | UInt(bitPattern: parent)
    }

    @inline(__always)
    mutating func setBlack() { unsafe parentAndColor |= 1 }

    @inline(__always)
    mutating func setRed() { unsafe parentAndColor &= ~1 }
}
