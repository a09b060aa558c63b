// Futexes: threads sleep on a word of user memory until another thread says that it changed (futex(2)).
//
// Waiters are in one of 256 lists, chosen by the futex's key. A waiter first joins its list and reads the
// word afterwards; a waker changes the word first and looks at the list afterwards. So either the waiter sees the
// new value, or the waker sees the waiter. A waiter's links lie in its task: nothing is allocated.

import Machine
import Memory
import Primitives
import Synchronization
import Tasks
import Time

enum Futex {
    /// Made at first use.
    private static let buckets: [FutexBucket] = {
        var buckets: [FutexBucket] = []
        buckets.reserveCapacity(FutexKey.bucketCount)
        for _ in 0..<FutexKey.bucketCount { buckets.append(FutexBucket()) }
        return buckets
    }()

    /// Bits of a waiter and a waker that must meet; all for the plain operations.
    static let anyBits = UInt32.max

    // MARK: Waiting

    /// Sleeps while the word at `address` is `expected`, until woken, or until `deadline`. Throws `.tryAgain`
    /// if it has another value, `.timedOut`, `.restartSystem` for a signal.
    static func wait(
        _ address: UInt, expected: UInt32, bits: UInt32, isPrivate: Bool, deadline: Deadline?,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        guard bits != 0 else { throw .invalid }
        let place = try FutexPlace(address, isPrivate: isPrivate, task)
        let current = LinuxTask.current
        join(current, place.key, bits)
        do throws(Errno) {
            let value = try SystemCalls.load(UInt32.self, from: address, task)
            guard value == expected else { throw .tryAgain }
            try current.sleep(until: deadline, task) { current.futex.isQueued }
        } catch {
            // Who was woken in the meantime must not lose that.
            if leave(current) { throw error }
        }
        withExtendedLifetime(place) {}
    }

    private static func join(_ waiter: LinuxTask, _ key: FutexKey, _ bits: UInt32) {
        waiter.futex.key = key
        waiter.futex.bits = bits
        buckets[key.bucket].list.withLock { list in
            waiter.futex.bucket = key.bucket
            waiter.futex.isQueued = true
            list.append(waiter)
        }
    }

    /// Takes the running task out of its list; false if a waker has done so.
    private static func leave(_ waiter: LinuxTask) -> Bool {
        while waiter.futex.isQueued {
            let bucket = waiter.futex.bucket
            let result = buckets[bucket].list.withLock { list -> Bool? in
                guard waiter.futex.isQueued else { return false }
                // Moved to another list meanwhile.
                guard waiter.futex.bucket == bucket else { return nil }
                list.remove(waiter)
                waiter.futex.isQueued = false
                return true
            }
            if let result { return result }
        }
        return false
    }

    // MARK: Waking

    /// Wakes up to `count` waiters with a bit in common with `bits`; returns how many.
    static func wake(
        _ address: UInt, count: Int, bits: UInt32 = anyBits, isPrivate: Bool, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard bits != 0 else { throw .invalid }
        let place = try FutexPlace(address, isPrivate: isPrivate, task)
        return buckets[place.key.bucket].list.withLock { list in
            wake(&list, place.key, count, bits)
        }
    }

    private static func wake(
        _ list: inout ObjectList<LinuxTask>, _ key: FutexKey, _ count: Int, _ bits: UInt32
    ) -> Int {
        guard count > 0, !list.isEmpty else { return 0 }
        var woken = 0
        var each = list.first
        while let waiter = each, woken < count {
            each = list.next(after: waiter)
            guard waiter.futex.key == key, waiter.futex.bits & bits != 0 else { continue }
            list.remove(waiter)
            waiter.futex.isQueued = false
            waiter.sleepers.wakeAll()
            woken += 1
        }
        return woken
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
            result = wake(&from, source.key, count, anyBits)
            let transferred = move(&from, &to, source.key, target.key, moved)
            if expected != nil { result += transferred }
        } same: { list in
            result = wake(&list, source.key, count, anyBits)
            let transferred = rename(list, source.key, target.key, moved)
            if expected != nil { result += transferred }
        }
        return result
    }

    private static func move(
        _ from: inout ObjectList<LinuxTask>, _ to: inout ObjectList<LinuxTask>, _ source: FutexKey,
        _ target: FutexKey, _ limit: Int
    ) -> Int {
        var moved = 0
        var each = from.first
        while let waiter = each, moved < limit {
            each = from.next(after: waiter)
            guard waiter.futex.key == source else { continue }
            from.remove(waiter)
            waiter.futex.key = target
            waiter.futex.bucket = target.bucket
            to.append(waiter)
            moved += 1
        }
        return moved
    }

    /// Moving within one list only changes the key.
    private static func rename(
        _ list: borrowing ObjectList<LinuxTask>, _ source: FutexKey, _ target: FutexKey, _ limit: Int
    ) -> Int {
        var moved = 0
        list.forEach { waiter in
            guard moved < limit else { return false }
            if waiter.futex.key == source {
                waiter.futex.key = target
                moved += 1
            }
            return true
        }
        return moved
    }

    private static func withBoth(
        _ first: Int, _ second: Int,
        _ body: (inout ObjectList<LinuxTask>, inout ObjectList<LinuxTask>) -> Void,
        same: (inout ObjectList<LinuxTask>) -> Void
    ) {
        if first == second { return buckets[first].list.withLock { same(&$0) } }
        buckets[min(first, second)].list.withLock { low in
            buckets[max(first, second)].list.withLockNested { high in
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

/// The waiters of the futexes whose keys fall here.
private final class FutexBucket: Sendable {
    /// Task context. Two are taken in the order of their indices.
    let list = SpinLock(ObjectList<LinuxTask>(.futex))
}

/// A task's place at the futex it waits for. Changed under the lock of the list it is in.
struct FutexWaiter {
    var key = FutexKey(owner: 0, offset: 0)
    var bits = Futex.anyBits
    var bucket = 0
    var isQueued = false
}
