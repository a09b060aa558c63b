// Bottom halves: what a top half raises and what runs soon after, on the same CPU, with interrupts on.
//
// A CPU's pending mask is a word of its own area, so raising is one instruction. The mask is looked at where
// a hard interrupt ends and where bottom halves are enabled again; `run` takes it, clears it and calls the
// handlers in order, with bottom halves counted as off, so it never nests. What is raised meanwhile runs in
// further rounds, but only for so many rounds and so long: then the CPU's `ksoftirqd` thread takes over, which
// shares the CPU with everybody else.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

public enum SoftInterrupts {
    /// A handler: mark the function `@_noAllocation`, and `@Sendable` so that it needs no context.
    public typealias Handler = @convention(thin) @Sendable (borrowing SoftInterruptContext) -> Void

    /// Written at boot, before the vector is raised for the first time; read by every CPU.
    nonisolated(unsafe) private static var handlers = InlineArray<10, Handler?>(repeating: nil)

    /// Rounds and nanoseconds after which `ksoftirqd` takes over.
    private static let roundLimit = 10
    private static let timeLimit: UInt64 = 2_000_000

    /// Gives the vector its handler. Boot only.
    public static func register(_ vector: SoftInterrupt, _ handler: @escaping Handler) {
        unsafe handlers[Int(vector.rawValue)] = handler
    }

    /// Asks this CPU to run the vector's handler soon. Any context but NMI.
    @_noAllocation
    public static func raise(_ vector: SoftInterrupt) {
        withInterruptsOff { off in raise(vector, off) }
    }

    /// The same where interrupts are off already.
    @_noAllocation
    public static func raise(_ vector: SoftInterrupt, _ off: borrowing InterruptsOff) {
        CPUArea.raiseSoftInterrupt(vector.bit)
        // Inside an interrupt, or with bottom halves off, its end will see the mask; elsewhere nobody would.
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
        unsafe DeferredState.current.pointee.perCPU.withRemote(cpu) { $0.count(vector) }
    }

    /// Runs what is pending. Bottom halves are counted as off already, by whoever saw the mask.
    static func run() {
        let wereEnabled = InterruptFlag.isEnabled
        InterruptFlag.disable()
        // Interrupts are on only where a task enables bottom halves, and so ends a section.
        if wereEnabled { Latency.bottomHalvesOff.note(pendingSince) }
        if !SoftInterruptThread.isRunningHere { runOnStack() }
        if wereEnabled { InterruptFlag.enable() }
    }

    /// For how long something has been pending, in nanoseconds.
    private static var pendingSince: UInt64 {
        CycleClock.nanoseconds(CycleClock.cycles &- CPUArea.softInterruptRaisedAt)
    }

    /// Rounds of handlers, until nothing is pending or they have had their time. Interrupts are off before and after,
    /// and on while handlers run.
    static func runRounds() {
        let start = CycleClock.now
        var now = start
        for _ in 0..<roundLimit {
            let pending = CPUArea.softInterruptsPending
            if pending == 0 { break }
            Latency.softInterruptDelay.note(pendingSince)
            CPUArea.softInterruptsPending = 0
            InterruptFlag.enable()
            callHandlers(pending, SoftInterruptContext())
            InterruptFlag.disable()
            now = CycleClock.now
            if PreemptCount.needResched || now &- start >= timeLimit { break }
        }
        if now != start { Latency.bottomHalvesOff.note(now &- start) }
        if CPUArea.softInterruptsPending != 0 { SoftInterruptThread.wakeLocal() }
    }

    private static func callHandlers(_ pending: UInt32, _ context: borrowing SoftInterruptContext) {
        var left = pending
        while left != 0 {
            let vector = left.trailingZeroBitCount
            left &= left &- 1
            guard vector < SoftInterrupt.count, let handler = unsafe handlers[vector] else { continue }
            unsafe DeferredState.current.pointee.perCPU.withRemote(CPU.index) { $0.note(vector) }
            handler(context)
        }
    }
}
