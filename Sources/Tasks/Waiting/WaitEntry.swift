// One waiter in one wait queue: links, and whom to wake.

import Machine
import Primitives
import Synchronization

/// A place in a wait queue. Lies on the waiter's kernel stack, in a poll table, or in an object that wants to be
/// told; its owner removes it from the queue before the memory goes. The queue's lock guards all of it but
/// `isLinked`, which may be read without.
@unsafe public struct WaitEntry: ~Copyable {
    public typealias Pointer = UnsafeMutablePointer<WaitEntry>
    /// Told of a wake-up under the queue's lock with interrupts off: must not block, allocate or wake through the
    /// same queue. `context` and `key` as given; true if it counts as one exclusive waiter woken.
    public typealias Notification = @convention(c) (_ context: UInt, _ key: UInt) -> Bool

    var next: Pointer? = nil
    var previous: Pointer? = nil
    /// The queue it is in, or was in last.
    var queue: UnsafePointer<WaitQueueCore>? = nil
    let isLinked = Atomic<Bool>(false)
    /// Wake-ups leave it in the queue.
    var isPersistent: Bool
    /// Woken one at a time by `wakeOne`.
    var isExclusive: Bool
    var thread: Thread
    var notification: Notification?
    var context: UInt

    /// An entry that wakes a thread and leaves the queue as it does.
    @inline(__always)
    init(_ thread: Thread, isExclusive: Bool) {
        unsafe self.isPersistent = false
        unsafe self.isExclusive = isExclusive
        unsafe self.thread = thread
        unsafe notification = nil
        unsafe context = 0
    }

    /// An entry that calls `notification` at each wake-up and stays.
    public init(context: UInt, isExclusive: Bool = false, notification: @escaping Notification) {
        unsafe isPersistent = true
        unsafe self.isExclusive = isExclusive
        unsafe thread = Thread.current
        unsafe self.notification = notification
        unsafe self.context = context
    }
}
