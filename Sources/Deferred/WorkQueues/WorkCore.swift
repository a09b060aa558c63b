// What a work consists of, and the lists it is in.

import Machine
import Primitives
import Synchronization

/// A place in a ring of places; the head of a list is one too. Guarded by the lock of the list's pool.
@unsafe struct WorkNode {
    typealias Pointer = UnsafeMutablePointer<WorkNode>
    var next: Pointer? = nil
    var previous: Pointer? = nil
}

/// A list of works: its head, which never moves.
@unsafe struct WorkList {
    private let head: WorkNode.Pointer

    /// An empty list. Allocates.
    init() {
        unsafe head = .allocate(capacity: 1)
        unsafe head.initialize(to: WorkNode(next: head, previous: head))
    }

    func free() { unsafe head.deallocate() }

    @inline(__always)
    var isEmpty: Bool { unsafe head.pointee.next == head }

    @inline(__always)
    var first: WorkCore.Pointer? { unsafe owner(of: head.pointee.next) }

    @inline(__always)
    func append(_ work: WorkCore.Pointer) { unsafe Self.insert(WorkCore.node(of: work), before: head) }

    @inline(__always)
    func prepend(_ work: WorkCore.Pointer) {
        unsafe Self.insert(WorkCore.node(of: work), before: head.pointee.next.unsafelyUnwrapped)
    }

    /// The work behind `work` in this list.
    @inline(__always)
    func next(_ work: WorkCore.Pointer) -> WorkCore.Pointer? { unsafe owner(of: work.pointee.node.next) }

    /// The work that has the node; nil for the head. All places of a ring have neighbours.
    @inline(__always)
    private func owner(of node: WorkNode.Pointer?) -> WorkCore.Pointer? {
        let node = unsafe node.unsafelyUnwrapped
        return unsafe node == head ? nil : WorkCore.owner(of: node)
    }

    static func insert(_ work: WorkCore.Pointer, behind other: WorkCore.Pointer) {
        unsafe insert(WorkCore.node(of: work), before: other.pointee.node.next.unsafelyUnwrapped)
    }

    @inline(__always)
    private static func insert(_ node: WorkNode.Pointer, before next: WorkNode.Pointer) {
        let previous = unsafe next.pointee.previous.unsafelyUnwrapped
        unsafe node.pointee = unsafe WorkNode(next: next, previous: previous)
        unsafe previous.pointee.next = node
        unsafe next.pointee.previous = node
    }

    /// Takes a work out of the list it is in.
    @inline(__always)
    static func remove(_ work: WorkCore.Pointer) {
        // In a list, so both neighbours exist.
        let next = unsafe work.pointee.node.next.unsafelyUnwrapped
        let previous = unsafe work.pointee.node.previous.unsafelyUnwrapped
        unsafe previous.pointee.next = next
        unsafe next.pointee.previous = previous
    }
}

@unsafe struct WorkCore: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<WorkCore>

    /// First, so that a node's address is its work's. Pool lock.
    var node = unsafe WorkNode()
    let state = Atomic<UInt32>(0)
    /// Number of the pool where it waits, or was begun last; -1 before. Written under the lock of that pool.
    let pool = Atomic<Int32>(-1)
    /// Queue and pool it waits in; nil while it waits nowhere. Pool lock.
    var link: PoolWorkQueue.Pointer? = nil
    /// Who began it last; whether it still runs there is for the worker to say. Lock of that worker's pool.
    var worker: Worker.Pointer? = nil
    /// Which flush counts it. Pool lock; so are the next two.
    var color = 0
    /// Waits in its queue until the pool may have it.
    var isInactive = false
    /// The next in the list belongs to it: a barrier that waits for it.
    var hasFollower = false
    /// When it was queued, in cycles.
    var queuedAt: UInt64 = 0
    let name: StaticString
    let word: UInt
    let function: Work.Function

    /// Waits, or is about to. Whoever sets it queues the work or gives the bit back.
    static let pending: UInt32 = 1
    /// A canceller has `pending` and waits for the function.
    static let cancelling: UInt32 = 2

    init(_ name: StaticString, _ word: UInt, _ function: @escaping Work.Function) {
        unsafe self.name = name
        unsafe self.word = word
        unsafe self.function = function
    }

    /// Sets `pending`; true if it was clear.
    @inline(__always)
    borrowing func claim() -> Bool {
        Spin.interleave()
        return unsafe state.bitwiseOr(Self.pending, ordering: .acquiringAndReleasing).oldValue & Self.pending
            == 0
    }

    @inline(__always)
    static func node(of work: Pointer) -> WorkNode.Pointer {
        // The node is the work's first field.
        unsafe UnsafeMutableRawPointer(work).assumingMemoryBound(to: WorkNode.self)
    }

    @inline(__always)
    static func owner(of node: WorkNode.Pointer) -> Pointer {
        // Only works' nodes are in these lists, besides the heads.
        unsafe UnsafeMutableRawPointer(node).assumingMemoryBound(to: WorkCore.self)
    }
}
