// Soft IRQs: what a top half leaves to be done right after it, on the same CPU, with interrupts on.
//
// Each CPU has a word of pending soft IRQs (in its area). They run at three points: leaving a hard interrupt,
// enabling bottom halves again, and in `ksoftirqd`. A run copies and clears the word, turns interrupts on and calls the
// handlers in order; what is raised meanwhile makes another round, at most `maximumRounds`, for at most
// `maximumTime`, and only until someone needs the CPU. Then `ksoftirqd`, an ordinary thread, goes on, so that soft IRQs
// cannot starve programs. Handlers run on a stack of their own and never nest: bottom halves count as
// off while they run.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

/// The soft IRQs in the order in which they run (Linux's include/linux/interrupt.h has the same).
public enum SoftInterrupt: Int, CaseIterable, Sendable {
    case high = 0
    case timer
    case networkTransmit
    case networkReceive
    case block
    case poll
    case tasklet
    case scheduler
    case highResolutionTimer
    case readCopyUpdate

    /// The name in `/proc/softirqs`.
    public var name: StaticString {
        switch self {
        case .high: "HI"
        case .timer: "TIMER"
        case .networkTransmit: "NET_TX"
        case .networkReceive: "NET_RX"
        case .block: "BLOCK"
        case .poll: "IRQ_POLL"
        case .tasklet: "TASKLET"
        case .scheduler: "SCHED"
        case .highResolutionTimer: "HRTIMER"
        case .readCopyUpdate: "RCU"
        }
    }
}

public enum SoftInterrupts {
    /// Context for a handler: bottom halves off, interrupts on.
    public typealias Handler = @convention(thin) @Sendable (borrowing SoftInterruptContext) -> Void

    /// Rounds before `ksoftirqd` takes over.
    static let maximumRounds = 10
    /// Nanoseconds before `ksoftirqd` takes over.
    static let maximumTime: UInt64 = 2_000_000

    /// Set at boot, before other CPUs run; read without a lock.
    nonisolated(unsafe) private static var handlers = InlineArray<10, Handler?>(repeating: nil)
    /// How often each ran, by CPU.
    private static let counts = PerCPU<Counts>(count: CPUs.count) { _ in Counts() }

    struct Counts: ~Copyable {
        /// Written by its own CPU only.
        let runs = InlineArray<10, Atomic<UInt64>> { _ in Atomic(0) }
    }

    /// Gives a soft IRQ its handler. Boot only.
    public static func register(_ which: SoftInterrupt, _ handler: @escaping Handler) {
        unsafe handlers[which.rawValue] = handler
    }

    /// Marks `which` as pending on this CPU. Any context but NMI; in task context with bottom halves on it
    /// runs at once through `ksoftirqd`.
    public static func raise(_ which: SoftInterrupt) {
        withInterruptsOff { off in raise(which, off) }
    }

    /// Marks `which` as pending on this CPU.
    @inline(__always)
    public static func raise(_ which: SoftInterrupt, _ off: borrowing InterruptsOff) {
        CPUArea.raiseSoftInterrupt(1 << UInt32(which.rawValue))
        // Outside interrupts and with bottom halves on no exit is ahead that would run it.
        if !PreemptCount.inInterrupt { SoftInterruptThread.wake() }
    }

    /// Marks `which` as pending on this CPU; it runs when the hard interrupt ends.
    @inline(__always)
    public static func raise(_ which: SoftInterrupt, _ context: borrowing HardInterruptContext) {
        CPUArea.raiseSoftInterrupt(1 << UInt32(which.rawValue))
    }

    /// How often `which` ran on `cpu`.
    public static func count(_ which: SoftInterrupt, cpu: Int) -> UInt64 {
        counts.withRemote(cpu) { $0.runs[which.rawValue].load(ordering: .relaxed) }
    }

    /// Installs the run at the reconciliation points. Boot CPU, after `CPUs.setCount`.
    public static func start() throws(Errno) {
        precondition(counts.count == CPUs.count)
        // Before other CPUs run.
        unsafe PreemptionHook.softInterrupts = { SoftInterrupts.runOnOwnStack() }
        try SoftInterruptThread.createAll()
    }

    /// The hook: bottom halves have just been counted off once, by the caller.
    private static func runOnOwnStack() {
        let wereEnabled = InterruptFlag.isEnabled
        if wereEnabled { InterruptFlag.disable() }
        SoftInterruptStack.run { SoftInterrupts.runPending() }
        if wereEnabled { InterruptFlag.enable() }
    }

    /// `__do_softirq`: interrupts are off before and after, bottom halves are off.
    static func runPending() {
        let deadline = CycleClock.now &+ maximumTime
        var rounds = 0
        while true {
            let pending = CPUArea.softInterruptsPending
            if pending == 0 { return }
            CPUArea.softInterruptsPending = 0
            InterruptFlag.enable()
            runRound(pending)
            InterruptFlag.disable()
            rounds += 1
            if CPUArea.softInterruptsPending == 0 { return }
            if rounds >= maximumRounds || PreemptCount.needResched || CycleClock.now >= deadline { break }
        }
        SoftInterruptThread.wake()
    }

    private static func runRound(_ pending: UInt32) {
        let cpu = CPU.index
        var rest = pending
        while rest != 0 {
            let number = rest.trailingZeroBitCount
            rest &= rest &- 1
            counts.withRemote(cpu) { _ = $0.runs[number].wrappingAdd(1, ordering: .relaxed) }
            // Bits are raised through `SoftInterrupt` only, so number < 10.
            if let handler = unsafe handlers[number] { call(handler) }
        }
    }

    @_semantics("no_performance_analysis") @inline(__always)
    private static func call(_ handler: Handler) { handler(SoftInterruptContext()) }
}
