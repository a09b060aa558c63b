// Clocks, timers, and waiting until a time.
//
// One timer: `nanosleep` → `Thread.sleep` → a `HighResolutionTimer` on the sleeper's stack → `TimerCore.start`: this CPU's
// `TimerQueue` (a red-black tree by expiry) → if it is the first, `ClockEvents.set`: the CPU's local APIC timer → its
// interrupt → `ClockEvents.interrupt` → `TimerQueue.interrupt` calls what is due → the function wakes the thread.
//
// The same device ends the slices of threads: the scheduler says when (`TaskHooks.sliceEndChanged`), and only while
// more than one thread wants the CPU. So an idle CPU, or one with a single thread and no timer, takes no interrupt.

import Deferred
import Machine
import Primitives
import Tasks

public enum Time {
    /// Makes the state of the room. Once, on the boot CPU, after `Scheduler.boot`, before the first timer.
    public static func boot(cpuCount: Int) {
        let state = TimeState.Pointer.allocate(capacity: 1)
        // Fresh memory that lives as long as the machine.
        unsafe state.initialize(to: TimeState(cpuCount: cpuCount))
        unsafe TimeRoot.pointer = UnsafeMutableRawPointer(state)
        // Set before a second thread can run.
        unsafe TaskHooks.sliceEndChanged = { unsafe TimerQueue.sliceEndChanged($0) }
        unsafe TaskHooks.idleChanged = { unsafe TimerQueue.idleChanged($0) }
        SoftInterrupts.register(.timer) { @Sendable context in unsafe TimerBase.run(context) }
        unsafe LogHooks.clock = { CycleClock.now }
        unsafe DeferredHooks.sleep = { @Sendable duration, task in Thread.sleep(for: duration, task) }
    }
}
