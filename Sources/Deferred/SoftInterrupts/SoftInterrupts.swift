// Bottom halves: what a top half raises and what runs soon after, on the same CPU, with interrupts on.
//
// A CPU's pending mask is a word of its own area, so raising is one instruction. The mask is looked at where
// a hard interrupt ends and where bottom halves are enabled again. There the entry code switches to the CPU's stack for soft
// IRQs and calls `runInBetween`: it takes the mask, clears it and calls the handlers in order, with bottom halves counted as
// off, so it never nests. What is raised meanwhile runs in further rounds, but only for so many rounds and so long: then the
// CPU's `ksoftirqd` thread takes over, which shares the CPU with everybody else (SoftInterrupts+Rounds.swift).

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

public enum SoftInterrupts {
    /// A handler: mark the function `@_noAllocation`, and `@Sendable` so that it needs no context.
    public typealias Handler = @convention(thin) @Sendable (borrowing SoftInterruptContext) -> Void

    /// One for each bit of a mask: `boot` fills those that nobody registered. Written at boot, before the vector is raised for
    /// the first time; read by every CPU.
    nonisolated(unsafe) static var handlers = InlineArray<32, Handler?>(repeating: nil)

    /// Gives the vector its handler. Boot only.
    public static func register(_ vector: SoftInterrupt, _ handler: @escaping Handler) {
        unsafe handlers[Int(vector.rawValue)] = handler
    }

    // MARK: Raising

    /// Asks this CPU to run the vector's handler soon. Any context but NMI.
    @_noAllocation @inline(__always)
    public static func raise(_ vector: SoftInterrupt) {
        // Inside an interrupt, or with bottom halves off, this stays on its CPU, and its end will see the mask.
        if PreemptCount.inInterrupt { CPUArea.raiseSoftInterrupt(vector.bit) } else { raiseInTask(vector) }
    }

    @_noAllocation @inline(never)
    private static func raiseInTask(_ vector: SoftInterrupt) {
        withInterruptsOff { off in raise(vector, off) }
    }

    /// The same where interrupts are off already.
    @_noAllocation @inline(__always)
    public static func raise(_ vector: SoftInterrupt, _ off: borrowing InterruptsOff) {
        CPUArea.raiseSoftInterrupt(vector.bit)
        // Nobody would look at the mask.
        if !PreemptCount.inInterrupt { SoftInterruptThread.wakeLocal() }
    }

    /// The same in a top half: its exit runs the handler.
    @_noAllocation @inline(__always)
    public static func raise(_ vector: SoftInterrupt, _ context: borrowing HardInterruptContext) {
        CPUArea.raiseSoftInterrupt(vector.bit)
    }

    /// Asks the given CPU to run the vector's handler soon. Task or soft-IRQ context.
    public static func raise(_ vector: SoftInterrupt, onCPU cpu: Int) {
        withPreemptionOff { off in
            if cpu == CPU.index {
                raise(vector)
            } else {
                callRaise(vector, cpu)
            }
        }
    }

    @_semantics("no_performance_analysis")
    private static func callRaise(_ vector: SoftInterrupt, _ cpu: Int) {
        unsafe DeferredHooks.raise?(vector, cpu)
    }

    /// Times the vector's handler ran on a CPU.
    public static func count(_ vector: SoftInterrupt, cpu: Int) -> UInt64 {
        CPUArea.softInterruptCount(UInt32(vector.rawValue), cpu: cpu)
    }

    // MARK: Running

    /// One go in between, on the stack for it. Some are pending: nobody else takes them from who saw the mask, with bottom
    /// halves off. Interrupts are off before and after, and on while handlers run.
    /// - Parameter endsSection: whether a section without bottom halves ends here, in which they were raised.
    @inline(__always)
    static func runInBetween(endsSection: Bool) {
        if CPUArea.isSoftInterruptThreadActive { return SoftInterruptThread.wakeLocal() }
        let pending = CPUArea.softInterruptsPending
        let start = CycleClock.cycles
        Latency.softInterruptDelay.noteAscending(CPUArea.sinceSoftInterruptRaised(start))
        callHandlers(pending)
        let end = CycleClock.cycles
        if CPUArea.isSoftInterruptPending { return runFurtherRounds(since: start, end) }
        // Nothing has been raised since, so that the time of raising is still there.
        Latency.bottomHalvesOff.noteAscending(
            endsSection ? CPUArea.sinceSoftInterruptRaised(end) : end &- start)
        if CPUArea.spendSoftInterruptBudget(end &- start) { lookAtWindow(end) }
    }

    /// One round: what is pending. Interrupts are off before and after, and on while handlers run.
    @inline(__always)
    static func callHandlers(_ pending: UInt32) {
        CPUArea.softInterruptsPending = 0
        InterruptFlag.enable()
        #if APUS_DEBUG_LOCKS
            Lockdep.setInSoftInterrupt(true)
        #endif
        callHandler(CPU.lowestBit(pending), SoftInterruptContext())
        if pending & (pending &- 1) != 0 { callOthers(pending & (pending &- 1)) }
        #if APUS_DEBUG_LOCKS
            Lockdep.setInSoftInterrupt(false)
        #endif
        InterruptFlag.disable()
    }

    @inline(never)
    private static func callOthers(_ pending: UInt32) {
        var left = pending
        while left != 0 {
            callHandler(CPU.lowestBit(left), SoftInterruptContext())
            left &= left &- 1
        }
    }

    @inline(__always)
    private static func callHandler(_ vector: UInt32, _ context: borrowing SoftInterruptContext) {
        CPUArea.countSoftInterrupt(vector)
        // There are as many as a mask has bits, and `boot` has left none out.
        unsafe handlers[unchecked: Int(vector)].unsafelyUnwrapped(context)
    }
}

/// The end of a section without bottom halves (entry.S): on the stack for soft IRQs, interrupts off, bottom halves still
/// counted off.
@c(apus_softirqs_of_section)
public func softInterruptsOfSection() { SoftInterrupts.runInBetween(endsSection: true) }

/// The same at the end of a hard interrupt.
@c(apus_softirqs_at_exit)
public func softInterruptsAtExit() { SoftInterrupts.runInBetween(endsSection: false) }
