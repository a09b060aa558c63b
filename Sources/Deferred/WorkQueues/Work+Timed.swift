// What room `Time` needs of a work for those that are queued by a timer.
//
// A delayed work is claimed while its timer runs, so it is not queued twice; whoever stops the timer has the claim.

import Machine
import Primitives
import Synchronization
import Tasks

extension Work {
    /// Claims the work for a timer; false if it waits already. Interrupts are off.
    package func claim(_ off: borrowing InterruptsOff) -> Bool { unsafe core.pointee.claim() }

    /// Takes the claim from the timer or from the queue; nil if somebody cancels the work and waits for it.
    /// - Returns: whether it was waiting.
    package func seize(timer: () -> Bool, _ off: borrowing InterruptsOff) -> Bool? {
        while true {
            if timer() { return true }
            switch unsafe WorkCanceller.grab(core) {
            case .idle: return false
            case .wasPending: return true
            case .busy:
                if unsafe WorkCanceller.isBeingCancelled(core) { return nil }
                Spin.pause()
            }
        }
    }

    /// `Work.cancel`, timer included.
    package func cancel(timer: () -> Bool) -> Bool { unsafe WorkCanceller.cancel(core, timer: timer) }

    /// `Work.cancelSync`, timer included.
    package func cancelSync(_ task: borrowing TaskContext, timer: () -> Bool) -> Bool {
        unsafe WorkCanceller.cancelSync(core, task, timer: timer)
    }
}

extension WorkQueue {
    /// Queues a work that the caller has claimed. Any context but NMI.
    @_noAllocation
    package func queueClaimed(_ work: borrowing Work, on cpu: Int?) {
        withInterruptsOff { off in _ = unsafe WorkQueueCore.enqueueClaimed(core, work.core, cpu, off) }
    }
}
