// Those who wait at futexes: a list for all whose keys fall together, in the order they came.

import Primitives
import Synchronization
import Tasks

/// A thread's place at the futex it waits for. Lies on the thread's stack, and is in no list any more when that frame
/// goes. Changed under the lock of the list it is in; who moves it holds both.
@unsafe struct FutexWaiter: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<FutexWaiter>

    fileprivate var next: Pointer? = nil
    fileprivate var previous: Pointer? = nil
    fileprivate var key: FutexKey
    fileprivate let bits: UInt32
    fileprivate let thread: Thread
    /// The list it is in; -1 for none. Read by the waiter without a lock.
    private let bucket = Atomic<Int>(-1)

    /// Of the running thread.
    init(_ key: FutexKey, _ bits: UInt32) {
        unsafe self.key = key
        unsafe self.bits = bits
        unsafe thread = Thread.current
    }

    var isQueued: Bool { unsafe bucket.load(ordering: .acquiring) >= 0 }

    /// The list it is in.
    fileprivate(set) var place: Int? {
        get {
            let index = unsafe bucket.load(ordering: .acquiring)
            return index < 0 ? nil : index
        }
        // Whoever waits may be gone as soon as it reads that it is in none.
        nonmutating set { unsafe bucket.store(newValue ?? -1, ordering: .releasing) }
    }
}

/// The waiters of the futexes whose keys fall here. Under its lock; all pointers lead to waiters in it.
@safe struct FutexQueue: ~Copyable {
    private var first: FutexWaiter.Pointer?
    private var last: FutexWaiter.Pointer?

    init() {
        unsafe first = nil
        unsafe last = nil
    }

    mutating func append(_ waiter: FutexWaiter.Pointer) {
        unsafe waiter.pointee.next = nil
        unsafe waiter.pointee.previous = last
        if let last = unsafe last { unsafe last.pointee.next = waiter } else { unsafe first = waiter }
        unsafe last = waiter
        unsafe waiter.pointee.place = waiter.pointee.key.bucket
    }

    mutating func remove(_ waiter: FutexWaiter.Pointer) {
        unsafe unlink(waiter)
        unsafe waiter.pointee.place = nil
    }

    @inline(__always)
    private mutating func unlink(_ waiter: FutexWaiter.Pointer) {
        let (next, previous) = unsafe (waiter.pointee.next, waiter.pointee.previous)
        if let next = unsafe next { unsafe next.pointee.previous = previous } else { unsafe last = previous }
        if let previous = unsafe previous { unsafe previous.pointee.next = next } else { unsafe first = next }
    }

    /// Wakes up to `count` waiters of a futex with a bit in common with `bits`; how many.
    mutating func wake(_ key: FutexKey, _ count: Int, _ bits: UInt32) -> Int {
        var woken = 0
        var each = unsafe first
        while let waiter = unsafe each, woken < count {
            unsafe each = waiter.pointee.next
            guard unsafe waiter.pointee.key == key, unsafe waiter.pointee.bits & bits != 0 else { continue }
            // The waiter may be gone once it is in no list.
            let thread = unsafe waiter.pointee.thread
            unsafe remove(waiter)
            thread.wake()
            woken += 1
        }
        return woken
    }

    /// Moves up to `limit` waiters of `source` to `target`, whose list is another; how many.
    mutating func move(
        to other: inout FutexQueue, _ source: FutexKey, _ target: FutexKey, _ limit: Int
    ) -> Int {
        var moved = 0
        var each = unsafe first
        while let waiter = unsafe each, moved < limit {
            unsafe each = waiter.pointee.next
            guard unsafe waiter.pointee.key == source else { continue }
            // Queued all the time, for whoever looks without a lock.
            unsafe unlink(waiter)
            unsafe waiter.pointee.key = target
            unsafe other.append(waiter)
            moved += 1
        }
        return moved
    }

    /// The same where both are in this list: only the key changes.
    mutating func rename(_ source: FutexKey, _ target: FutexKey, _ limit: Int) -> Int {
        var moved = 0
        var each = unsafe first
        while let waiter = unsafe each, moved < limit {
            unsafe each = waiter.pointee.next
            guard unsafe waiter.pointee.key == source else { continue }
            unsafe waiter.pointee.key = target
            moved += 1
        }
        return moved
    }
}
