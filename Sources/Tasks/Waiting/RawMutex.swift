// The sleeping lock itself; `Mutex` adds what it protects.

import Machine
import Primitives
import Synchronization

public struct RawMutex: ~Copyable, Sendable {
    /// Holder's number shifted left by one; bit 0: hand over to the first waiter. 0 when free.
    private let word = Atomic<UInt64>(0)
    private let queue = WaitQueue()

    private static let handOver: UInt64 = 1

    public init() {}

    public var owner: UInt64? {
        let seen = word.load(ordering: .relaxed) >> 1
        return seen == 0 ? nil : seen
    }

    /// Takes the lock; sleeps, uninterruptibly, while another thread has it.
    @inline(__always)
    public func lock(_ task: borrowing TaskContext) {
        #if APUS_DEBUG_LOCKS
            Lockdep.mightSleep()
        #endif
        if !tryLock() { lockSlowly(task) }
    }

    @inline(__always)
    public func tryLock() -> Bool {
        word.compareExchange(
            expected: 0, desired: Thread.current.identifier << 1, ordering: .acquiring
        ).exchanged
    }

    @inline(never)
    private func lockSlowly(_ task: borrowing TaskContext) {
        let me = Thread.current.identifier << 1
        if owner == me >> 1 { fatalError("mutex taken twice by one thread") }
        var turns = 0
        queue.waitUninterruptibly(task, exclusive: true) {
            turns += 1
            return take(me, impatient: turns > 2)
        }
    }

    /// One attempt: succeeds if the lock is free or has been handed to this thread.
    private func take(_ me: UInt64, impatient: Bool) -> Bool {
        var seen = word.load(ordering: .relaxed)
        while true {
            if seen & ~Self.handOver == me { return true }
            let desired: UInt64
            if seen & ~Self.handOver == 0 {
                desired = me
            } else {
                if !impatient || seen & Self.handOver != 0 { return false }
                desired = seen | Self.handOver
            }
            let (exchanged, original) = word.compareExchange(
                expected: seen, desired: desired, ordering: .acquiringAndReleasing)
            if exchanged { return desired == me }
            seen = original
        }
    }

    /// Frees the lock, or hands it over, and wakes the first waiter.
    @inline(__always)
    public func unlock() {
        let me = word.load(ordering: .relaxed)
        if me & Self.handOver == 0,
            word.compareExchange(expected: me, desired: 0, ordering: .releasing).exchanged
        {
            queue.wakeOne()
            return
        }
        unlockSlowly()
    }

    @inline(never)
    private func unlockSlowly() {
        guard let heir = queue.takeFirst() else {
            word.store(0, ordering: .releasing)
            // A waiter may have come after the look.
            return queue.wakeOne()
        }
        word.store(heir.identifier << 1, ordering: .releasing)
        heir.wake()
    }
}
