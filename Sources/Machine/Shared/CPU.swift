// The CPU that runs this code: its number, its area, its preemption count.

import CMachine

/// The largest number of CPUs one kernel can use.
public let maximumCPUs = 256

public enum CPU {
    /// Number of the CPU that runs this; stable only while preemption is off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var index: Int { Int(truncatingIfNeeded: cpu_area_index()) }

    /// Number of the lowest bit that is set; some bit is.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func lowestBit(_ bits: UInt32) -> UInt32 { machine_lowest_bit(bits) }

    /// Local APIC identifier of this CPU.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var apicID: UInt32 { cpu_area_apic_id() }
}

/// Units of the preemption count (see `cpu_area.h` for the layout).
public enum PreemptCount {
    public static let preemption: UInt32 = 1
    public static let bottomHalf: UInt32 = 1 << 8
    public static let hardInterrupt: UInt32 = 1 << 16
    public static let nmi: UInt32 = 1 << 20
    public static let preemptionMask: UInt32 = 0xff
    public static let bottomHalfMask: UInt32 = 0xff << 8
    public static let hardInterruptMask: UInt32 = 0xf << 16
    public static let nmiMask: UInt32 = 0xf << 20
    public static let interruptMask: UInt32 = hardInterruptMask | bottomHalfMask | nmiMask
    /// Set while *no* reschedule is wanted.
    public static let noReschedule: UInt32 = 1 << 31

    @_semantics("no_performance_analysis") @inline(__always)
    public static var value: UInt32 { cpu_area_preempt_count() }

    @_semantics("no_performance_analysis") @inline(__always)
    public static func set(_ value: UInt32) { cpu_area_set_preempt_count(value) }

    @_semantics("no_performance_analysis") @inline(__always)
    public static func add(_ units: UInt32) { cpu_area_preempt_add(units) }

    /// Takes `units` off; true when preemption is possible again and a reschedule is wanted.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func subtractIsZero(_ units: UInt32) -> Bool { cpu_area_preempt_sub_is_zero(units) }

    /// Hard-interrupt, soft-interrupt or NMI context.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var inInterrupt: Bool { cpu_area_preempt_count_has(interruptMask) }

    /// In a section without bottom halves that is in no other one and in no interrupt.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var isOutermostBottomHalf: Bool { cpu_area_is_outermost_bottom_half() }

    @inline(__always)
    public static var inHardInterrupt: Bool { value & (hardInterruptMask | nmiMask) != 0 }

    /// Preemption is possible, and no reschedule is wanted.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var isNothingWanted: Bool { cpu_area_preempt_count_is(noReschedule) }

    /// Asks this CPU to reschedule at the next opportunity. Any context.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func setNeedResched() { cpu_area_set_need_resched() }

    @_semantics("no_performance_analysis") @inline(__always)
    public static func clearNeedResched() { cpu_area_clear_need_resched() }

    @inline(__always)
    public static var needResched: Bool { value & noReschedule == 0 }
}
