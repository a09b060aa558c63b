// How soft IRQs begin.

import Machine
import Primitives
import Tasks

extension SoftInterrupts {
    /// Makes the state of the room, the `ksoftirqd` threads, and lets pending soft IRQs run. Once, on the boot
    /// CPU, after `Scheduler.boot` and `Scheduler.enterCPU`. Throws `.noMemory`.
    public static func boot(cpuCount: Int) throws(Errno) {
        let state = DeferredState.Pointer.allocate(capacity: 1)
        // Fresh memory that lives as long as the machine.
        unsafe state.initialize(to: DeferredState(cpuCount: cpuCount))
        unsafe DeferredRoot.pointer = UnsafeMutableRawPointer(state)
        DeferredHooks.setDefaults()
        TaskletQueue.boot()
        try SoftInterruptThread.start(cpuCount: cpuCount)
        // Set before any soft IRQ is raised.
        unsafe PreemptionHook.softInterrupts = { SoftInterrupts.run() }
    }

    /// One go at what is pending, on the stack for it. Interrupts are off.
    static func runOnStack() { SoftInterruptStack.call { SoftInterrupts.runRounds() } }
}
