// Futexes: threads sleep on a word of user memory until another thread says that it changed (futex(2)).
//
// Waiters are in one of 256 lists, chosen by the futex's key. A waiter first joins its list and reads the
// word afterwards; a waker changes the word first and looks at the list afterwards. So either the waiter sees the
// new value, or the waker sees the waiter. A waiter lies on its thread's stack: nothing is allocated or counted.

import Machine
import Memory
import Primitives
import Synchronization
import Tasks
import Time

enum Futex {
    /// Made before the first program, never freed. Two locks are taken in the order of their indices.
    nonisolated(unsafe) private static var buckets: UnsafeMutablePointer<SpinLock<FutexQueue>>? = nil

    /// Bits of a waiter and a waker that must meet; all for the plain operations.
    static let anyBits = UInt32.max

    /// Makes the lists. Once, before the first program.
    static func boot() {
        let count = FutexKey.bucketCount
        let made = UnsafeMutablePointer<SpinLock<FutexQueue>>.allocate(capacity: count)
        // Fresh memory.
        for index in 0..<count { unsafe (made + index).initialize(to: SpinLock(FutexQueue())) }
        unsafe buckets = made
    }

    @inline(__always)
    private static func withQueue<R>(_ bucket: Int, _ body: (inout FutexQueue) -> R) -> R {
        // A key's bucket is one of them.
        unsafe buckets.unsafelyUnwrapped[bucket].withLock { body(&$0) }
    }

    // MARK: Waiting

    /// Sleeps while the word at `address` is `expected`, until woken, or until `deadline`. Throws `.tryAgain`
    /// if it has another value, `.timedOut`, `.restartSystem` for a signal.
    static func wait(
        _ address: UInt, expected: UInt32, bits: UInt32, isPrivate: Bool, deadline: Deadline?,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        guard bits != 0 else { throw .invalid }
        if isPrivate {
            return try wait(address, FutexKey(private: address), expected, bits, deadline, task)
        }
        let place = try FutexPlace(address, isPrivate: false, task)
        defer { withExtendedLifetime(place) {} }
        try wait(address, place.key, expected, bits, deadline, task)
    }

    private static func wait(
        _ address: UInt, _ key: FutexKey, _ expected: UInt32, _ bits: UInt32, _ deadline: Deadline?,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        var waiter = unsafe FutexWaiter(key, bits)
        // It is in no list any more when this frame goes: woken, or taken out.
        try unsafe withUnsafeMutablePointer(to: &waiter) { (waiter) throws(Errno) in
            withQueue(key.bucket) { unsafe $0.append(waiter) }
            do throws(Errno) {
                let value = try SystemCalls.load(UInt32.self, from: address, task)
                guard value == expected else { throw .tryAgain }
                let result = try Thread.park(task, interruptible: true, deadline: deadline) {
                    unsafe !waiter.pointee.isQueued
                }
                if result == .timedOut { throw .timedOut }
            } catch {
                // Who was woken in the meantime must not lose that.
                if unsafe leave(waiter) { throw error }
            }
        }
    }

    /// Takes a waiter out of its list; false if a waker has done so.
    private static func leave(_ waiter: FutexWaiter.Pointer) -> Bool {
        while let bucket = unsafe waiter.pointee.place {
            let isOut = withQueue(bucket) { queue in
                // Moved to another list, or woken, meanwhile.
                guard unsafe waiter.pointee.place == bucket else { return false }
                unsafe queue.remove(waiter)
                return true
            }
            if isOut { return true }
        }
        return false
    }

    // MARK: Waking

    /// Wakes up to `count` waiters with a bit in common with `bits`; returns how many.
    static func wake(
        _ address: UInt, count: Int, bits: UInt32 = anyBits, isPrivate: Bool, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard bits != 0 else { throw .invalid }
        let key =
            isPrivate ? try FutexKey(private: address) : try FutexPlace(address, isPrivate: false, task).key
        return withQueue(key.bucket) { $0.wake(key, count, bits) }
    }

    /// Wakes up to `count` waiters of one futex and moves up to `moved` of the others to a second one. With
    /// `expected`, throws `.tryAgain` if the first word has another value. Returns how many were woken
    /// and, for the comparing form, moved.
    static func requeue(
        from first: UInt, to second: UInt, count: Int, moved: Int, expected: UInt32?, isPrivate: Bool,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard count >= 0, moved >= 0 else { throw .invalid }
        let source = try FutexPlace(first, isPrivate: isPrivate, task)
        let target = try FutexPlace(second, isPrivate: isPrivate, task)
        if let expected {
            guard try SystemCalls.load(UInt32.self, from: first, task) == expected else { throw .tryAgain }
        }
        var result = 0
        withBoth(source.key.bucket, target.key.bucket) { from, to in
            result = from.wake(source.key, count, anyBits)
            let transferred = from.move(to: &to, source.key, target.key, moved)
            if expected != nil { result += transferred }
        } same: { list in
            result = list.wake(source.key, count, anyBits)
            let transferred = list.rename(source.key, target.key, moved)
            if expected != nil { result += transferred }
        }
        return result
    }

    private static func withBoth(
        _ first: Int, _ second: Int, _ body: (inout FutexQueue, inout FutexQueue) -> Void,
        same: (inout FutexQueue) -> Void
    ) {
        if first == second { return withQueue(first) { same(&$0) } }
        withQueue(min(first, second)) { low in
            unsafe buckets.unsafelyUnwrapped[max(first, second)].withLockNested { high in
                if first < second { body(&low, &high) } else { body(&high, &low) }
            }
        }
    }

    /// FUTEX_WAKE_OP: changes the second word, wakes waiters of the first, and of the second if the comparison with
    /// its old value holds.
    static func wakeAndOperate(
        _ first: UInt, _ second: UInt, count: Int, secondCount: Int, _ operation: FutexOperation,
        isPrivate: Bool, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let old = try update(second, operation, task)
        var woken = try wake(first, count: count, isPrivate: isPrivate, task)
        if operation.holds(for: old) {
            woken += try wake(second, count: secondCount, isPrivate: isPrivate, task)
        }
        return woken
    }

    private static func update(
        _ address: UInt, _ operation: FutexOperation, _ task: borrowing TaskContext
    ) throws(Errno) -> UInt32 {
        var seen = try SystemCalls.load(UInt32.self, from: address, task)
        while true {
            let found = try UserMemory.compareExchange(
                UserPointer(address), expected: seen, desired: operation.apply(to: seen), task)
            if found == seen { return seen }
            seen = found
        }
    }
}
