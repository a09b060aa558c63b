// The list inside a wait queue: ordinary waiters first, exclusive ones behind them.

import Machine
import Primitives
import Synchronization

/// What a wait queue consists of; at a stable address as long as entries are in it.
@unsafe struct WaitQueueCore: ~Copyable {
    /// Taken before any run queue's lock.
    let list = unsafe SpinLock(List())
    /// Entries in the list, so that a wake-up of nobody needs no lock.
    let count = Atomic<UInt32>(0)

    init() {}

    @unsafe struct List: ~Copyable {
        var first: WaitEntry.Pointer? = nil
        var last: WaitEntry.Pointer? = nil
        init() {}

        mutating func insertFirst(_ entry: WaitEntry.Pointer) {
            unsafe entry.pointee.previous = nil
            unsafe entry.pointee.next = first
            if let first = unsafe first { unsafe first.pointee.previous = entry } else { unsafe last = entry }
            unsafe first = entry
        }

        mutating func insertLast(_ entry: WaitEntry.Pointer) {
            unsafe entry.pointee.next = nil
            unsafe entry.pointee.previous = last
            if let last = unsafe last { unsafe last.pointee.next = entry } else { unsafe first = entry }
            unsafe last = entry
        }

        mutating func remove(_ entry: WaitEntry.Pointer) {
            let next = unsafe entry.pointee.next
            let previous = unsafe entry.pointee.previous
            if let next = unsafe next {
                unsafe next.pointee.previous = previous
            } else {
                unsafe last = previous
            }
            if let previous = unsafe previous {
                unsafe previous.pointee.next = next
            } else {
                unsafe first = next
            }
        }
    }

    /// Puts an entry in: exclusive ones last, so that `wakeOne` reaches everybody else too and they queue in order.
    static func insert(_ core: UnsafePointer<WaitQueueCore>, _ entry: WaitEntry.Pointer) {
        unsafe core.pointee.list.withLockInterruptsOff { list, _ in
            unsafe entry.pointee.queue = core
            unsafe entry.pointee.isLinked.store(true, ordering: .relaxed)
            if unsafe entry.pointee.isExclusive {
                unsafe list.insertLast(entry)
            } else {
                unsafe list.insertFirst(entry)
            }
            _ = unsafe core.pointee.count.wrappingAdd(1, ordering: .sequentiallyConsistent)
        }
    }

    /// Takes an entry out if a wake-up has not done so; true if it was still in.
    static func remove(_ core: UnsafePointer<WaitQueueCore>, _ entry: WaitEntry.Pointer) -> Bool {
        // Whoever cleared it has let go of the entry: a waker copies what it needs first.
        guard unsafe entry.pointee.isLinked.load(ordering: .acquiring) else { return false }
        return unsafe core.pointee.list.withLockInterruptsOff { list, _ in
            guard unsafe entry.pointee.isLinked.load(ordering: .relaxed) else { return false }
            unsafe core.pointee.unlink(&list, entry)
            return true
        }
    }

    @inline(__always)
    borrowing func unlink(_ list: inout List, _ entry: WaitEntry.Pointer) {
        unsafe list.remove(entry)
        _ = unsafe count.wrappingSubtract(1, ordering: .relaxed)
        // The last access: from here on the entry may be gone.
        unsafe entry.pointee.isLinked.store(false, ordering: .releasing)
    }

    /// Wakes all ordinary waiters and up to `limit` exclusive ones.
    @_noAllocation
    borrowing func wake(limit: Int, key: UInt) {
        // What the waiters wait for is written before the count is read.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if unsafe count.load(ordering: .relaxed) == 0 { return }
        unsafe wakeWaiters(limit: limit, key: key)
    }

    @inline(never) @_noAllocation
    private borrowing func wakeWaiters(limit: Int, key: UInt) {
        unsafe list.withLockInterruptsOff { list, _ in
            unsafe wakeListed(&list, limit: limit, key: key)
        }
    }

    private borrowing func wakeListed(_ list: inout List, limit: Int, key: UInt) {
        var left = limit
        var entry = unsafe list.first
        while let here = unsafe entry {
            unsafe entry = here.pointee.next
            let isExclusive = unsafe here.pointee.isExclusive
            let woken = unsafe notify(&list, here, key)
            if isExclusive, woken {
                left -= 1
                if left <= 0 { return }
            }
        }
    }

    /// Tells one waiter. A thread's entry leaves the list before the thread is woken, so that the thread can return
    /// without waiting for this lock; it checks its condition once more after that.
    @inline(__always)
    private borrowing func notify(_ list: inout List, _ entry: WaitEntry.Pointer, _ key: UInt) -> Bool {
        if unsafe entry.pointee.isPersistent { return unsafe Self.callNotification(entry, key) }
        let thread = unsafe entry.pointee.thread
        unsafe unlink(&list, entry)
        thread.wake()
        return true
    }

    @_semantics("no_performance_analysis")
    private static func callNotification(_ entry: WaitEntry.Pointer, _ key: UInt) -> Bool {
        unsafe entry.pointee.notification?(entry.pointee.context, key) ?? false
    }
}
