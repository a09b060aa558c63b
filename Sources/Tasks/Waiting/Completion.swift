// One thread tells others that something is done.

import Primitives
import Synchronization

/// Something that will be done once, or a known number of times.
public struct Completion: ~Copyable, Sendable {
    private let queue = WaitQueue()
    /// Times it was done and nobody has taken note of yet; `.max` for "done for good".
    private let done = Atomic<UInt32>(0)

    public init() {}

    /// Lets one waiter go on, now or in the future. Any context but NMI.
    @_noAllocation
    public func complete() {
        // `.max` stays: whoever completes for good has the last word.
        var seen = done.load(ordering: .relaxed)
        while seen != .max {
            let (exchanged, original) = done.compareExchange(
                expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
            if exchanged { break }
            seen = original
        }
        queue.wakeOne()
    }

    /// Lets all waiters go on, now and for ever. Any context but NMI.
    @_noAllocation
    public func completeAll() {
        done.store(.max, ordering: .releasing)
        queue.wakeAll()
    }

    public var isDone: Bool { done.load(ordering: .acquiring) != 0 }

    /// Waits until done, and takes note of it. Throws `.restartSystem` for a signal if `interruptible`.
    public func wait(_ task: borrowing TaskContext, interruptible: Bool) throws(Errno) {
        try queue.wait(task, interruptible: interruptible, exclusive: true) { take() }
    }

    /// Waits until done, whatever signals come.
    public func wait(_ task: borrowing TaskContext) {
        queue.waitUninterruptibly(task, exclusive: true) { take() }
    }

    private func take() -> Bool {
        var seen = done.load(ordering: .acquiring)
        while seen != 0 {
            if seen == .max { return true }
            let (exchanged, original) = done.compareExchange(
                expected: seen, desired: seen - 1, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            seen = original
        }
        return false
    }
}
