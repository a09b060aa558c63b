// One CPU makes others run a function, or forget translations, and waits for them or not.
//
// The way of a call: `callFunction` → a node with function, argument and flags (`CallSingleData`) → the receiver's
// lock-free list (`CallQueue.post`) → an interrupt where that was empty (`CPUSignal`, vector 0xfb) → the receiver's
// entry code → `CallQueue.flush`: all nodes, oldest first → the function, in hard interrupt context → the node is
// unlocked, which the sender spins for.

import Interrupts
import Machine
import Memory
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

public enum CrossCPU {
    /// Makes the queues. Boot CPU, once, after `Scheduler.boot` and before other CPUs run.
    public static func boot(cpuCount: Int) {
        let state = CrossCPUState.Pointer.allocate(capacity: 1)
        // Fresh memory that lives as long as the machine.
        unsafe state.initialize(to: CrossCPUState(cpus: cpuCount))
        unsafe CrossCPURoot.pointer = UnsafeMutableRawPointer(state)
        // The same for every machine; set before other CPUs run.
        unsafe TaskHooks.idleWork = { CrossCPU.flushFromIdle() }
        TLBHooks.shootdown = { request, word0, word1, word2, word3 in
            var mask = CPUMask()
            mask[word: 0] = word0
            mask[word: 1] = word1
            mask[word: 2] = word2
            mask[word: 3] = word3
            CrossCPU.shootdown(request, mask)
        }
    }

    /// The interrupt of vector 0xfb.
    @_noAllocation @inline(__always)
    public static func functionInterrupt(_ context: borrowing HardInterruptContext) {
        unsafe CrossCPUState.current.pointee.functions.flush(context)
    }

    /// The interrupt of vector 0xfd.
    @_noAllocation @inline(__always)
    public static func translationInterrupt(_ context: borrowing HardInterruptContext) {
        unsafe CrossCPUState.current.pointee.translations.flush(context)
    }

    /// Runs everything posted for this CPU, without the interrupt. Interrupts off; task or idle context.
    public static func flush(_ off: borrowing InterruptsOff) {
        let state = unsafe CrossCPUState.current
        LocalCall.asInterrupt { context in
            unsafe state.pointee.translations.flush(context)
            unsafe state.pointee.functions.flush(context)
        }
    }

    /// The idle loop's last look: whether there was something. Interrupts are off.
    private static func flushFromIdle() -> Bool {
        let state = unsafe CrossCPUState.current
        if unsafe state.pointee.functions.isEmptyHere, unsafe state.pointee.translations.isEmptyHere {
            return false
        }
        flush(InterruptsOff())
        return true
    }

    /// How often a CPU was reported that did not answer in time, or a call that could deadlock.
    public static var reportedWaits: Int {
        unsafe CrossCPUState.current.pointee.reports.load(ordering: .relaxed)
    }

    /// Sets how long a call waits before its receiver is reported (5 s after boot), in nanoseconds.
    public static func setWaitLimit(_ nanoseconds: UInt64) {
        unsafe CrossCPUState.current.pointee.waitLimit.store(nanoseconds, ordering: .relaxed)
    }

    public static var waitLimit: UInt64 {
        unsafe CrossCPUState.current.pointee.waitLimit.load(ordering: .relaxed)
    }
}
