// The private stack of soft IRQs: each CPU's own, so that they never add to the depth of the thread they
// happen to interrupt.

import CMachine
import Machine

enum SoftInterruptStack {
    /// Calls `body` on this CPU's soft-IRQ stack. Interrupts are off, and no soft IRQ runs on this CPU.
    @_semantics("no_performance_analysis") @inline(__always)
    static func run(_ body: @convention(c) () -> Void) {
        #if APUS_KERNEL
            machine_call_on_stack(body, cpu_area_softirq_stack_top())
        #else
            body()
        #endif
    }
}
