// A ring between one producer and one consumer, such as a top half and the thread behind it: no lock,
// no allocation, constant time.

import Synchronization

/// A fixed number of elements, first in first out. One context at a time may `put`, one may `take`; the two
/// may run on different CPUs and interrupt each other. Whoever shares a side among several holds a
/// lock of their own around it. Any context; made where allocation is allowed.
@safe public struct Ring<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    /// `capacity` elements; a slot belongs to the consumer from `tail` up to `head`, else to the producer.
    private let slots: UnsafeMutablePointer<Element>
    private let mask: UInt32
    /// Elements ever put; written by the producer.
    private let head = Atomic<UInt32>(0)
    /// Elements ever taken; written by the consumer.
    private let tail = Atomic<UInt32>(0)

    /// A ring of `capacity` elements, a power of two up to 2³⁰. Allocates; `filler` is never seen.
    public init(capacity: Int, filler: Element) {
        precondition(capacity > 0 && capacity <= 1 << 30 && capacity & (capacity - 1) == 0)
        unsafe slots = .allocate(capacity: capacity)
        unsafe slots.initialize(repeating: filler, count: capacity)
        mask = UInt32(capacity - 1)
    }

    deinit { unsafe slots.deallocate() }

    public var capacity: Int { Int(mask) + 1 }

    /// Elements in the ring; the producer may see it shrink, the consumer may see it grow.
    @inline(__always)
    public var count: Int {
        Int(truncatingIfNeeded: head.load(ordering: .acquiring) &- tail.load(ordering: .acquiring))
    }

    @inline(__always) public var isEmpty: Bool { count == 0 }
    @inline(__always) public var room: Int { capacity &- count }

    /// Producer: adds an element, or says that the ring is full.
    @inline(__always)
    public func put(_ element: Element) -> Bool {
        let position = head.load(ordering: .relaxed)
        guard position &- tail.load(ordering: .acquiring) <= mask else { return false }
        // `position & mask` is inside the allocation, and the slot is the producer's until `head` moves.
        unsafe slots[Int(truncatingIfNeeded: position & mask)] = element
        head.store(position &+ 1, ordering: .releasing)
        return true
    }

    /// Consumer: takes the oldest element, nil when there is none.
    @inline(__always)
    public func take() -> Element? {
        let position = tail.load(ordering: .relaxed)
        guard head.load(ordering: .acquiring) != position else { return nil }
        // Inside the allocation, and the slot is the consumer's until `tail` moves.
        let element = unsafe slots[Int(truncatingIfNeeded: position & mask)]
        tail.store(position &+ 1, ordering: .releasing)
        return element
    }

    /// Consumer: the oldest element without taking it.
    @inline(__always)
    public func peek() -> Element? {
        let position = tail.load(ordering: .relaxed)
        guard head.load(ordering: .acquiring) != position else { return nil }
        // As in `take`.
        return unsafe slots[Int(truncatingIfNeeded: position & mask)]
    }

    /// Consumer: drops what is in the ring now; returns how many.
    @discardableResult
    public func removeAll() -> Int {
        let end = head.load(ordering: .acquiring)
        let start = tail.load(ordering: .relaxed)
        tail.store(end, ordering: .releasing)
        return Int(truncatingIfNeeded: end &- start)
    }
}
