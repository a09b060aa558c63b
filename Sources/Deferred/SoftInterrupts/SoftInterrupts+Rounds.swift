// What keeps soft IRQs from having a CPU for themselves: limits of rounds and time, and the window.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

extension SoftInterrupts {
    /// Rounds, and cycles (2 ms, set at boot), after which `ksoftirqd` takes over.
    private static let roundLimit = 10
    nonisolated(unsafe) static var timeLimit: UInt64 = .max
    /// Cycles of a window (4 ms, set at boot): soft IRQs have half of it in between, then the thread does the work until
    /// the window is over. So interrupts that come one right after the other, each with a soft IRQ, leave half of the CPU.
    /// A window begins when the half is found used up and the one before is over.
    nonisolated(unsafe) static var window: UInt64 = .max

    /// The second round and those behind it. Something is pending; interrupts are off.
    /// - Parameters:
    ///   - start: when the first round began, in cycles.
    ///   - now: when it ended.
    @inline(never)
    static func runFurtherRounds(since start: UInt64, _ now: UInt64) {
        lookAtWindow(runRounds(1, since: start, now))
    }

    /// What the thread does in one go. Interrupts are off before and after, and on while handlers run.
    /// - Returns: the time-stamp counter at the end.
    static func runInThread() -> UInt64 {
        let now = CycleClock.cycles
        return CPUArea.isSoftInterruptPending ? runRounds(0, since: now, now) : now
    }

    /// Rounds until nothing is pending or they have had their time. Something is pending.
    private static func runRounds(_ done: Int, since start: UInt64, _ begin: UInt64) -> UInt64 {
        var now = begin
        var rounds = done
        while CPUArea.isSoftInterruptPending {
            if rounds > 0, isEnough(rounds, now &- start) {
                SoftInterruptThread.wakeLocal()
                break
            }
            Latency.softInterruptDelay.note(CPUArea.sinceSoftInterruptRaised(now))
            callHandlers(CPUArea.softInterruptsPending)
            now = CycleClock.cycles
            rounds &+= 1
        }
        Latency.bottomHalvesOff.note(now &- start)
        _ = CPUArea.spendSoftInterruptBudget(now &- start)
        return now
    }

    /// Whether what is pending is left to the thread, after so many rounds and cycles.
    private static func isEnough(_ rounds: Int, _ time: UInt64) -> Bool {
        unsafe rounds >= roundLimit || PreemptCount.needResched || time >= timeLimit
    }

    /// Begins a new window if the last one is over; else, if its time is used up, leaves the rest of it to the thread.
    /// Interrupts are off.
    @inline(never)
    static func lookAtWindow(_ now: UInt64) {
        if CPUArea.softInterruptBudget > 0 { return }
        let local = unsafe DeferredLocal.current
        if unsafe now &- local.pointee.windowSince >= window {
            unsafe local.pointee.windowSince = now
            CPUArea.softInterruptBudget = unsafe Int64(truncatingIfNeeded: window / 2)
        } else {
            CPUArea.isSoftInterruptThreadActive = true
        }
    }

    /// Whether the thread may leave the work to others again. Interrupts are off.
    static func isWindowOver(_ now: UInt64) -> Bool {
        unsafe CPUArea.softInterruptBudget > 0
            || now &- DeferredLocal.current.pointee.windowSince >= window
    }
}
