// Threads, run queues, waiting and preemption.
//
// How a thread sleeps and is woken, without a lock of its own. Its `state` is one atomic word:
//
//   running ──prepare──▶ waiting ──schedule() commits──▶ waiting|blocked
//      ▲                    │                                  │
//      └────── wake ────────┴────────────── wake ──────────────┘
//
// The thread says what it waits for (`waiting`: interruptible, uninterruptible, ...), checks its condition
// once more and calls `schedule`. Whoever makes the condition true wakes it afterwards. Both sides are
// sequentially consistent, so either the thread sees the condition or the waker sees the state.
// - A waker that finds `waiting` sets `running`: the thread never leaves its CPU.
// - `schedule` takes a waiting thread off the run queue by setting `blocked` under the queue's lock; if a
//   waker came first, that fails and the thread goes on.
// - A waker that swaps `waiting|blocked` for `running` owns the thread: it alone queues it on some CPU. While the
//   thread's registers are still being saved (`onCPU`), that is the CPU it leaves; no other may take it.
//
// A preempted thread stays queued whatever its state says: only its own call of `schedule` blocks it.
//
// Locks: a wait queue's lock is taken before a run queue's; of two run queues the second is only tried.
// All are taken with interrupts off. The stack switch itself happens under no lock, interrupts off.

import Machine
import Primitives

/// What the tasks room needs from rooms below it; each set once at boot, before other threads run.
public enum TaskHooks {
    /// Sends the reschedule interrupt to another CPU. Any context.
    nonisolated(unsafe) public static var sendReschedule: (@convention(c) (UInt32) -> Void)? = nil
    /// Tells this CPU's clock event device that the slice of the running thread ends at this time
    /// (nanoseconds of `CycleClock`). Interrupts off.
    nonisolated(unsafe) public static var sliceEndChanged: (@convention(c) (UInt64) -> Void)? = nil
    /// This CPU is about to become idle (true), or busy again. Under the run queue's lock, interrupts off.
    nonisolated(unsafe) public static var idleChanged: (@convention(c) (Bool) -> Void)? = nil
    /// Last look of the idle loop before it halts, interrupts off; true if there was something to do.
    nonisolated(unsafe) public static var idleWork: (@convention(c) () -> Bool)? = nil
    /// Switches this CPU off, in its idle loop with interrupts off; returns, if at all, when it is on again.
    nonisolated(unsafe) public static var park: (@convention(c) () -> Void)? = nil
    /// The running thread, whose `currentWorker` is passed, is about to sleep, or has the CPU again after that. Set by room
    /// `Deferred`.
    nonisolated(unsafe) public static var workerSleeps: (@convention(thin) @Sendable (UInt) -> Void)? = nil
    nonisolated(unsafe) public static var workerRuns: (@convention(thin) @Sendable (UInt) -> Void)? = nil
}
