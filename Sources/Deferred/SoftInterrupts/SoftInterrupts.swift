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

    /// Rounds, and cycles (2 ms, set at boot), after which `ksoftirqd` takes over.
    private static let roundLimit = 10
    nonisolated(unsafe) static var timeLimit: UInt64 = .max
    /// Cycles of a window (4 ms, set at boot): soft IRQs have half of it in between, then the thread does the work until
    /// the window is over. So interrupts that come one right after the other, each with a soft IRQ, leave half of the CPU.
    nonisolated(unsafe) static var window: UInt64 = .max

    /// Gives the vector its handler. Boot only.
    public static func register(_ vector: SoftInterrupt, _ handler: @escaping Handler) {
        unsafe handlers[Int(vector.rawValue)] = handler
    }

    /// Asks this CPU to run the vector's handler soon. Any context but NMI.
    @_noAllocation @inline(__always)
    public static func raise(_ vector: SoftInterrupt) {
        withInterruptsOff { off in raise(vector, off) }
    }

    /// The same where interrupts are off already.
    @_noAllocation @inline(__always)
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
        let local = unsafe DeferredLocal.current
        if unsafe local.pointee.isThreadActive {
            SoftInterruptThread.wakeLocal()
        } else {
            // Interrupts are on only where a task enables bottom halves, and so ends a section.
            unsafe local.pointee.sectionSince = wereEnabled ? CPUArea.softInterruptRaisedAt : 0
            runOnStack()
        }
        if wereEnabled { InterruptFlag.enable() }
    }

    /// Rounds of handlers, until nothing is pending or they have had their time. Interrupts are off before and after,
    /// and on while handlers run.
    /// - Parameter section: when the section without bottom halves began that ends with these, in cycles; 0 if none does.
    /// - Returns: the time-stamp counter at the end.
    static func runRounds(endingSectionOf section: UInt64 = 0) -> UInt64 {
        let local = unsafe DeferredLocal.current
        let start = CycleClock.cycles
        var now = start
        var pending = CPUArea.softInterruptsPending
        if pending == 0 { return now }
        for _ in 0..<roundLimit {
            Latency.softInterruptDelay.note(now &- CPUArea.softInterruptRaisedAt)
            CPUArea.softInterruptsPending = 0
            InterruptFlag.enable()
            unsafe callHandlers(pending, local, SoftInterruptContext())
            InterruptFlag.disable()
            now = CycleClock.cycles
            pending = CPUArea.softInterruptsPending
            if unsafe pending == 0 || PreemptCount.needResched || now &- start >= timeLimit { break }
        }
        Latency.bottomHalvesOff.note(now &- (section == 0 ? start : section))
        unsafe local.pointee.timeInWindow &+= now &- start
        if pending != 0 { SoftInterruptThread.wakeLocal() }
        return now
    }

    /// Begins a new window if the last one is over; else, if its time is used up, leaves the rest of it to the thread.
    /// Interrupts are off.
    @inline(__always)
    private static func lookAtWindow(_ local: DeferredLocal.Pointer, _ now: UInt64) {
        if unsafe now &- local.pointee.windowSince >= window {
            unsafe local.pointee.windowSince = now
            unsafe local.pointee.timeInWindow = 0
        } else if unsafe local.pointee.timeInWindow >= window / 2 {
            unsafe local.pointee.isThreadActive = true
        }
    }

    /// One go in between, on the stack for it.
    static func runInBetween() {
        let local = unsafe DeferredLocal.current
        let now = runRounds(endingSectionOf: unsafe local.pointee.sectionSince)
        unsafe lookAtWindow(local, now)
    }

    /// Whether the thread may leave the work to others again. Interrupts are off.
    static func isWindowOver(_ local: DeferredLocal.Pointer, _ now: UInt64) -> Bool {
        unsafe local.pointee.timeInWindow < window / 2 || now &- local.pointee.windowSince >= window
    }

    @inline(__always)
    private static func callHandlers(
        _ pending: UInt32, _ local: DeferredLocal.Pointer, _ context: borrowing SoftInterruptContext
    ) {
        var left = pending
        repeat {
            let vector = left.trailingZeroBitCount
            left &= left &- 1
            guard vector < SoftInterrupt.count, let handler = unsafe handlers[vector] else { continue }
            unsafe local.pointee.counts[vector] &+= 1
            handler(context)
        } while left != 0
    }
}
