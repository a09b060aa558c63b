// Histograms of what keeps things waiting, always on (`/sys/kernel/debug/latency`).
//
// Every CPU has its own, which it writes with interrupts off and everybody reads as figures of the moment. Nothing is
// measured at the guards themselves, which are too many and too short: how long interrupts or bottom halves were off
// is known where something had to wait for it.

import Machine
import Primitives

public enum Latency: Int, CaseIterable, Sendable {
    /// From the time to which a CPU's timer was set to its interrupt: as long as interrupts were off, or the machine under
    /// this one did something else.
    case interruptsOff
    /// Bottom halves running, and sections without bottom halves in which one was raised, from then on.
    case bottomHalvesOff
    /// From a soft IRQ's raising, the first of those pending, to the handlers.
    case softInterruptDelay
    /// From a work's queueing to its function.
    case workDelay
    /// From a thread's wake-up to the CPU.
    case wakeUpDelay

    /// The file's name.
    public var name: StaticString {
        switch self {
        case .interruptsOff: "interrupts_off"
        case .bottomHalvesOff: "bottom_halves_off"
        case .softInterruptDelay: "softirq_delay"
        case .workDelay: "work_delay"
        case .wakeUpDelay: "wakeup_delay"
        }
    }

    /// Counts a delay of so many cycles on this CPU; one below 0 (counters of two CPUs) as 0. Interrupts are off.
    @_noAllocation @inline(__always)
    public func note(_ cycles: UInt64) { noteAscending(Int64(bitPattern: cycles) < 0 ? 0 : cycles) }

    /// The same of a delay that is the difference of two readings of this CPU's time-stamp counter.
    @_noAllocation @inline(__always)
    public func noteAscending(_ cycles: UInt64) { DelayCounts.note(cycles, kind: rawValue) }

    /// Counts the delay since a reading of the time-stamp counter.
    @_noAllocation @inline(__always)
    public func note(since cycles: UInt64) { note(CycleClock.cycles &- cycles) }

    /// What a CPU has counted since boot or `clear`. A figure of the moment.
    public func histogram(cpu: Int) -> DelayHistogram { DelayHistogram(kind: rawValue, cpu: cpu) }

    /// Begins anew on this CPU. Interrupts are off.
    public func clear() { DelayCounts.clear(kind: rawValue) }
}
