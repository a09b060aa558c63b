// The stack that a CPU's soft IRQs run on, and the way to it (entry.S).

import CMachine

public enum SoftInterruptStack {
    /// Says what runs pending soft IRQs: at the end of a section without bottom halves, and of a hard interrupt. Both are called
    /// on this CPU's stack for it, bottom halves counted off, interrupts off. Boot only.
    public static func install(
        section: @convention(c) () -> Void, interruptExit: @convention(c) () -> Void
    ) {
        machine_set_softirqs(section, interruptExit)
    }

    /// Runs what is pending at the end of a section without bottom halves.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func runPending() { machine_run_softirqs() }
}

extension CPUArea {
    /// Notes when soft IRQs became pending.
    @_semantics("no_performance_analysis") @inline(__always)
    static func stampSoftInterrupt() { cpu_area_stamp_softirq() }
}
