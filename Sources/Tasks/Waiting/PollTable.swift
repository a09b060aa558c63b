// Waiting in many queues at once: poll, select, epoll.

import Machine
import Primitives
import Synchronization

/// A thread's places in any number of wait queues. The thread registers while it asks each file what is ready, then
/// sleeps until one of the queues is woken, and asks again; the places stay until the table goes.
@safe public final class PollTable {
    /// Whom to wake, and whether a queue was woken since the last look. Told of by notifications.
    private let thread: Thread
    private let triggered = Atomic<Bool>(false)
    private var places: [Place] = unsafe []

    /// An entry, and what keeps the queue alive that it is in.
    @unsafe private struct Place {
        let entry: WaitEntry.Pointer
        let owner: AnyObject
    }

    /// A table for the running thread.
    public init() { thread = Thread.current }

    /// Puts the thread into `queue`, which is part of `owner`. May allocate.
    public func register(_ queue: borrowing WaitQueue, of owner: AnyObject) {
        let entry = WaitEntry.Pointer.allocate(capacity: 1)
        // The table outlives its entries: see `deinit`.
        let context = unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
        unsafe entry.initialize(
            to: WaitEntry(context: context) { context, _ in
                // The table that put the entry in is alive as long as the entry is in the queue.
                let opaque = unsafe UnsafeRawPointer(bitPattern: context).unsafelyUnwrapped
                return unsafe Unmanaged<PollTable>.fromOpaque(opaque)._withUnsafeGuaranteedRef {
                    $0.trigger()
                }
            })
        unsafe queue.insert(entry)
        unsafe places.append(Place(entry: entry, owner: owner))
    }

    private func trigger() -> Bool {
        triggered.store(true, ordering: .sequentiallyConsistent)
        thread.wake()
        return true
    }

    /// Sleeps until one of the queues has been woken since the last call. Throws `.restartSystem` when a signal is
    /// pending. `isOver` ends the sleep too (a deadline that has passed); it runs after each wake-up.
    public func sleep(_ task: borrowing TaskContext, unless isOver: () -> Bool = { false }) throws(Errno) {
        defer { thread.setState(.running) }
        while true {
            thread.setState(.interruptible)
            if triggered.exchange(false, ordering: .sequentiallyConsistent) || isOver() { return }
            if thread.hears(.interruptible) { throw .restartSystem }
            Scheduler.schedule(task)
        }
    }

    deinit {
        for index in unsafe places.indices {
            let place = unsafe places[index]
            // The entry's queue lives as long as its owner; the core takes care of wake-ups under way.
            if let core = unsafe place.entry.pointee.queue {
                _ = unsafe WaitQueueCore.remove(core, place.entry)
            }
            unsafe place.entry.deinitialize(count: 1)
            unsafe place.entry.deallocate()
        }
    }
}
