// What each CPU's own area has for soft IRQs and tasklets. One instruction a word, so that interrupts of the CPU do no harm.

import CMachine

extension CPUArea {
    /// Adds bits to the pending soft IRQs of this CPU; notes the time if they are the first. Not in NMI.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func raiseSoftInterrupt(_ bits: UInt32) {
        if !cpu_area_is_softirq_pending() { stampSoftInterrupt() }
        cpu_area_softirq_raise(bits)
    }

    @_semantics("no_performance_analysis") @inline(__always)
    public static var isSoftInterruptPending: Bool { cpu_area_is_softirq_pending() }

    /// Cycles from the raising of the first of the pending soft IRQs of this CPU up to a reading of the time-stamp counter.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func sinceSoftInterruptRaised(_ cycles: UInt64) -> UInt64 {
        cpu_area_since_softirq_raised(cycles)
    }

    /// Cycles that soft IRQs still have in the present window.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var softInterruptBudget: Int64 {
        get { cpu_area_softirq_budget() }
        set { cpu_area_set_softirq_budget(newValue) }
    }

    /// Takes cycles from that; true if it is used up.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func spendSoftInterruptBudget(_ cycles: UInt64) -> Bool {
        cpu_area_spend_softirq_budget(cycles)
    }

    /// Whether the CPU's thread does all the work for the while.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var isSoftInterruptThreadActive: Bool {
        get { cpu_area_is_softirq_thread_active() }
        set { cpu_area_set_softirq_thread_active(newValue ? 1 : 0) }
    }

    /// Counts one run of a soft IRQ on this CPU. Bottom halves are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func countSoftInterrupt(_ vector: UInt32) { cpu_area_count_softirq(vector) }

    /// How often a soft IRQ ran on `cpu`; any CPU may ask.
    public static func softInterruptCount(_ vector: UInt32, cpu: Int) -> UInt64 {
        cpu_area_softirq_count(UInt32(truncatingIfNeeded: cpu), vector)
    }

    // MARK: Tasklets

    /// Puts a node before the others in this CPU's list of tasklets, or of those of high priority; `next` is the node's word for
    /// the one behind it. Preemption is off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func pushTasklet(_ node: UInt, next: UnsafeMutablePointer<UInt>, isHigh: Bool) {
        // The word belongs to the node, which is in no list.
        if isHigh {
            unsafe cpu_area_push_high_tasklets(node, next)
        } else {
            unsafe cpu_area_push_tasklets(node, next)
        }
    }

    /// Empties the list; returns the node that was put there last, 0 if there is none. Interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func takeTasklets(isHigh: Bool) -> UInt {
        if isHigh {
            let last = cpu_area_high_tasklets()
            cpu_area_set_high_tasklets(0)
            return UInt(last)
        }
        let last = cpu_area_tasklets()
        cpu_area_set_tasklets(0)
        return UInt(last)
    }
}

/// Histograms of delays, of which each CPU has its own (room Tasks says what they are).
public enum DelayCounts {
    public static let kinds = Int(CPU_DELAY_KINDS)

    /// Counts a delay of so many cycles of a kind on this CPU. Interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func note(_ cycles: UInt64, kind: Int) {
        switch kind {
        case 0: cpu_area_note_delay_0(cycles)
        case 1: cpu_area_note_delay_1(cycles)
        case 2: cpu_area_note_delay_2(cycles)
        case 3: cpu_area_note_delay_3(cycles)
        default: cpu_area_note_delay_4(cycles)
        }
    }

    /// Delays from 2^`bucket` to 2^(`bucket` + 1) cycles that `cpu` has counted; bucket 64: the longest.
    public static func bucket(_ bucket: Int, kind: Int, cpu: Int) -> UInt64 {
        cpu_area_delay_bucket(
            UInt32(truncatingIfNeeded: cpu), UInt32(truncatingIfNeeded: kind),
            UInt32(truncatingIfNeeded: bucket))
    }

    /// Begins anew on this CPU. Interrupts are off.
    public static func clear(kind: Int) { cpu_area_clear_delays(UInt32(truncatingIfNeeded: kind)) }
}
