// The stack that a CPU's soft IRQs run on.

import CMachine

public enum SoftInterruptStack {
    /// Calls `function` on this CPU's soft-IRQ stack. Bottom halves are off, so nobody else is on it.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func call(_ function: @convention(c) () -> Void) {
        // The stack belongs to this CPU, which stays the same while bottom halves are off.
        machine_call_on_stack(function, cpu_area_softirq_stack_top())
    }
}
