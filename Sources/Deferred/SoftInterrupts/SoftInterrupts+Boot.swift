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
        enterCPU()
        unsafe timeLimit = CycleClock.cycles(nanoseconds: 2_000_000)
        unsafe window = CycleClock.cycles(nanoseconds: 4_000_000)
        DeferredHooks.setDefaults()
        TaskletQueue.boot()
        for vector in unsafe handlers.indices where unsafe handlers[vector] == nil {
            unsafe handlers[vector] = { @Sendable _ in }
        }
        try SoftInterruptThread.start(cpuCount: cpuCount)
        // Set before any soft IRQ is raised.
        SoftInterruptStack.install(
            section: softInterruptsOfSection, interruptExit: softInterruptsAtExit)
    }

    /// Lets this CPU raise soft IRQs. Once on each CPU, behind `Scheduler.enterCPU`; on the first `boot` does it.
    public static func enterCPU() {
        CPUArea.deferred = unsafe DeferredState.current.pointee.perCPU.withRemote(CPU.index) {
            unsafe UInt(bitPattern: $0.local)
        }
    }
}
