// What runs where, for reports.

import Machine
import Primitives

extension Scheduler {
    /// The thread that a CPU runs; nil if its queue's lock is taken just now. Any context.
    public static func runningThread(on cpu: Int) -> Thread? {
        unsafe TaskState.current.pointee.queues.withRemote(cpu) { queue in
            let thread: Thread?? = unsafe queue.threads.tryWithLockInterruptsOff { threads in
                unsafe threads.current.map { unsafe Thread($0) }
            }
            return thread ?? nil
        }
    }
}
