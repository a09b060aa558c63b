// Where a parent waits in vfork until its child no longer uses its memory.

import Primitives
import Synchronization
import Tasks

final class ForkGate: Sendable {
    private let queue = WaitQueue()
    private let isOpen = Atomic<Bool>(false)

    /// The child has executed a program or ended. Any context but NMI.
    func open() {
        isOpen.store(true, ordering: .releasing)
        queue.wakeAll()
    }

    /// Waits for that; a deadly signal for the parent ends the waiting too.
    func wait(_ task: borrowing TaskContext) {
        do throws(Errno) {
            try queue.wait(task, interruptible: false, killable: true) { isOpen.load(ordering: .acquiring) }
        } catch {
            // The parent is about to end.
        }
    }
}
