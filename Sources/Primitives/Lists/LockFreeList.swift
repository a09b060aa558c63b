// A lock-free list: many producers, one consumer (Linux's llist, include/linux/llist.h, does the same job).
// Adding says whether the list was empty, so that only the first producer has to wake the consumer;
// the consumer takes all nodes at once.

import Machine
import Synchronization

/// The link inside a node. A node is on at most one list at a time, and its storage stays where it is
/// until the consumer has taken it.
public struct LockFreeLink: ~Copyable, Sendable {
    /// Address of the next node's link, 0 at the end.
    fileprivate let next = Atomic<UInt>(0)
    public init() {}
}

/// The list's head. Nodes are named by the addresses of their links; `Node` is the type whose first
/// stored property is the link.
@safe public struct LockFreeList<Node: ~Copyable>: ~Copyable, Sendable {
    private let head = Atomic<UInt>(0)

    public init() {}

    public var isEmpty: Bool { head.load(ordering: .acquiring) == 0 }

    /// Puts a node in front. Any context, NMI too; a few instructions.
    /// - Returns: whether the list was empty before.
    /// - Safety: `node` points at a `Node` whose first property is a `LockFreeLink` and that is on no list.
    @discardableResult @inline(__always)
    public func add(_ node: UnsafeMutablePointer<Node>) -> Bool {
        let address = UInt(bitPattern: node)
        // The node begins with its link.
        let link = unsafe UnsafeMutableRawPointer(node).assumingMemoryBound(to: LockFreeLink.self)
        var first = head.load(ordering: .relaxed)
        while true {
            Spin.interleave()
            unsafe link.pointee.next.store(first, ordering: .relaxed)
            let (done, seen) = head.weakCompareExchange(
                expected: first, desired: address, ordering: .releasing)
            if done { return first == 0 }
            first = seen
        }
    }

    /// Takes all nodes and calls `body` with each, oldest first. A node belongs to `body` from the call on:
    /// its link has been read before. Consumer only.
    @inline(__always)
    public func drain(_ body: (UnsafeMutablePointer<Node>) -> Void) {
        Spin.interleave()
        var current = head.exchange(0, ordering: .acquiring)
        if current == 0 { return }
        // Newest first as taken: turn the chain around, unless it is a single node.
        var oldest: UInt = 0
        if unsafe link(current).pointee.next.load(ordering: .relaxed) == 0 {
            oldest = current
            current = 0
        }
        while current != 0 {
            let next = unsafe link(current).pointee.next.load(ordering: .relaxed)
            unsafe link(current).pointee.next.store(oldest, ordering: .relaxed)
            oldest = current
            current = next
        }
        while oldest != 0 {
            let node = oldest
            oldest = unsafe link(node).pointee.next.load(ordering: .relaxed)
            unsafe body(UnsafeMutablePointer<Node>(bitPattern: node)!)
        }
    }

    @inline(__always)
    private func link(_ address: UInt) -> UnsafeMutablePointer<LockFreeLink> {
        // Addresses on the list are those of nodes, never zero here.
        unsafe UnsafeMutablePointer<LockFreeLink>(bitPattern: address)!
    }
}
