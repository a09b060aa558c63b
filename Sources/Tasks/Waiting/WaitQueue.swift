// Waiting for something to become true.

import Machine
import Primitives
import Synchronization

/// Threads that wait for something. Whoever makes it true wakes them, from any context but NMI; each checks for
/// itself. Part of the object whose state is waited for; nobody may be in the queue when that is destroyed.
///
///     try queue.wait(task) { ring.withLockInterruptsOff { ring, _ in ring.pop() } }   // the waiter
///     ring.withLockInterruptsOff { ring, _ in ring.push(byte) }; queue.wakeOne()        // the waker
@safe public struct WaitQueue: ~Copyable, @unchecked Sendable {
    private let cell: Cell<WaitQueueCore>

    public init() { unsafe cell = unsafe Cell(WaitQueueCore()) }

    /// The core, at the same address for the whole life of the queue's owner.
    @inline(__always)
    @unsafe var core: UnsafePointer<WaitQueueCore> { unsafe UnsafePointer(cell.address) }

    // MARK: Waiting

    /// Waits until `attempt` returns something, and returns that. `attempt` runs at once, and again after each
    /// wake-up; it may take locks, but should not sleep. With `interruptible`, throws `.restartSystem` when a signal is
    /// pending; with `killable` only for a deadly one. An `exclusive` waiter is woken one at a time by `wakeOne`.
    public func wait<R>(
        _ task: borrowing TaskContext, interruptible: Bool = true, killable: Bool = false,
        exclusive: Bool = false, for attempt: () throws(Errno) -> R?
    ) throws(Errno) -> R {
        if let result = try attempt() { return result }
        let state: ThreadState = interruptible ? .interruptible : killable ? .killable : .uninterruptible
        return try unsafe WaitQueueCore.wait(core, task, state, exclusive: exclusive, attempt)
    }

    /// Waits until `condition` is true. As the other, with a plain condition.
    public func wait(
        _ task: borrowing TaskContext, interruptible: Bool = true, killable: Bool = false,
        exclusive: Bool = false, until condition: () -> Bool
    ) throws(Errno) {
        try wait(task, interruptible: interruptible, killable: killable, exclusive: exclusive) {
            () throws(Errno) -> Void? in condition() ? () : nil
        }
    }

    /// Waits until `condition` is true, whatever signals come.
    public func waitUninterruptibly(
        _ task: borrowing TaskContext, exclusive: Bool = false, until condition: () -> Bool
    ) {
        do throws(Errno) {
            try wait(task, interruptible: false, exclusive: exclusive, until: condition)
        } catch {
            // Only signals end a wait early, and they do not end this one.
        }
    }

    // MARK: Waking

    /// Wakes every waiter. Any context but NMI; a load and a fence if there are none. `key` goes to notifications.
    @_noAllocation @inline(__always)
    public func wakeAll(key: UInt = 0) { unsafe core.pointee.wake(limit: .max, key: key) }

    /// Wakes all waiters that are not exclusive, and the exclusive one that waits longest. Any context but NMI.
    @_noAllocation @inline(__always)
    public func wakeOne(key: UInt = 0) { unsafe core.pointee.wake(limit: 1, key: key) }

    /// Whether anybody waits: a hint, unless the caller holds the lock under which waiters queue.
    public var hasWaiters: Bool { unsafe core.pointee.count.load(ordering: .relaxed) != 0 }

    /// Takes the first waiting thread out of the queue without waking it; the caller does. Any context but NMI.
    func takeFirst() -> Thread? {
        unsafe core.pointee.list.withLockInterruptsOff { list, _ in
            guard let entry = unsafe list.first else { return nil }
            let thread = unsafe entry.pointee.thread
            unsafe core.pointee.unlink(&list, entry)
            return thread
        }
    }

    // MARK: Being told

    /// Puts in an entry with a notification. The entry stays until `remove`; the caller keeps both alive.
    @unsafe public func insert(_ entry: WaitEntry.Pointer) { unsafe WaitQueueCore.insert(core, entry) }

    /// Takes an entry out; on return nobody uses it any more. Not from its own notification.
    @unsafe public func remove(_ entry: WaitEntry.Pointer) { _ = unsafe WaitQueueCore.remove(core, entry) }
}
