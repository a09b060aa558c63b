// A flush of a queue: one at a time, waiting for the works of one color in all pools.

import Primitives
import Synchronization
import Tasks

struct FlushState: ~Copyable, Sendable {
    /// Held by the one who flushes.
    let mutex = RawMutex()
    /// Pools that still have works of the color, plus one while they are being counted.
    private let outstanding = Atomic<Int>(0)
    private let waiters = WaitQueue()

    func begin() { outstanding.store(1, ordering: .relaxed) }

    func countUp() { outstanding.wrappingAdd(1, ordering: .relaxed) }

    /// Any context but NMI; with a pool's lock held.
    func countDown() {
        if outstanding.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            waiters.wakeAll()
        }
    }

    func finish(_ task: borrowing TaskContext) {
        countDown()
        waiters.waitUninterruptibly(task) { outstanding.load(ordering: .acquiring) == 0 }
    }
}
