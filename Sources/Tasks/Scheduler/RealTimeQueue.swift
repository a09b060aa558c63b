// The real-time threads that wait for one CPU: a list for each priority, in the order they came, and a bit for each list
// that is not empty. Everything takes constant time but `next(after:)`.
//
// A thread in a list has a priority of 1 ... 99, which does not change meanwhile.

/// Under the lock of the run queue it belongs to.
@unsafe struct RealTimeQueue: ~Copyable {
    typealias Pointer = ThreadStorage.Pointer

    @unsafe private struct List {
        var first: Pointer? = nil
        var last: Pointer? = nil
    }

    /// Bit p of the two words together: the list of priority p is not empty.
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    /// One for each priority, 0 unused. Made with the run queue and never freed: inside it, each access could copy them all
    /// to the stack.
    private let lists: UnsafeMutablePointer<List>

    init() {
        unsafe lists = .allocate(capacity: 100)
        unsafe lists.initialize(repeating: List(), count: 100)
    }

    /// The highest priority in the queue; 0 if it is empty.
    @inline(__always)
    var highest: UInt8 { unsafe highest(of: high, low) }

    @inline(__always)
    private func highest(of high: UInt64, _ low: UInt64) -> UInt8 {
        if high != 0 { return UInt8(truncatingIfNeeded: 127 &- high.leadingZeroBitCount) }
        return low == 0 ? 0 : UInt8(truncatingIfNeeded: 63 &- low.leadingZeroBitCount)
    }

    @inline(__always)
    var isEmpty: Bool { unsafe high | low == 0 }

    /// Who is first of the highest priority.
    @inline(__always)
    var first: Pointer? { unsafe isEmpty ? nil : lists[Int(highest)].first }

    /// Whether a thread of this priority waits.
    func contains(priority: UInt8) -> Bool { unsafe lists[Int(min(priority, 99))].first != nil }

    /// Puts a thread behind the others of its priority, or before them.
    mutating func insert(_ storage: Pointer, before: Bool) {
        let priority = unsafe Int(min(storage.pointee.priority, 99))
        let list = unsafe lists[priority]
        // All links lead to threads in this queue, whose storage is type-stable.
        if before {
            unsafe storage.pointee.nextOfPriority = list.first
            unsafe storage.pointee.previousOfPriority = nil
            unsafe list.first?.pointee.previousOfPriority = storage
            unsafe lists[priority].first = storage
            if unsafe list.last == nil { unsafe lists[priority].last = storage }
        } else {
            unsafe storage.pointee.previousOfPriority = list.last
            unsafe storage.pointee.nextOfPriority = nil
            unsafe list.last?.pointee.nextOfPriority = storage
            unsafe lists[priority].last = storage
            if unsafe list.first == nil { unsafe lists[priority].first = storage }
        }
        if priority < 64 {
            unsafe low |= 1 &<< UInt64(priority)
        } else {
            unsafe high |= 1 &<< UInt64(priority &- 64)
        }
    }

    /// Takes a thread out that is in this queue.
    mutating func remove(_ storage: Pointer) {
        let priority = unsafe Int(min(storage.pointee.priority, 99))
        let next = unsafe storage.pointee.nextOfPriority
        let previous = unsafe storage.pointee.previousOfPriority
        if let next = unsafe next {
            unsafe next.pointee.previousOfPriority = previous
        } else {
            unsafe lists[priority].last = previous
        }
        if let previous = unsafe previous {
            unsafe previous.pointee.nextOfPriority = next
            return
        }
        unsafe lists[priority].first = next
        if unsafe next != nil { return }
        if priority < 64 {
            unsafe low &= ~(1 &<< UInt64(priority))
        } else {
            unsafe high &= ~(1 &<< UInt64(priority &- 64))
        }
    }

    /// Who would be first if all up to `storage` were gone.
    func next(after storage: Pointer) -> Pointer? {
        if let next = unsafe storage.pointee.nextOfPriority { return unsafe next }
        let priority = unsafe storage.pointee.priority
        let below: UInt8
        if priority > 64 {
            below = unsafe highest(of: high & ((1 &<< UInt64(priority &- 64)) &- 1), low)
        } else {
            below = unsafe highest(of: 0, priority == 64 ? low : low & ((1 &<< UInt64(priority)) &- 1))
        }
        return unsafe below == 0 ? nil : lists[Int(below)].first
    }
}
