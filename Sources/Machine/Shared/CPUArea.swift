// The words of each CPU's own area that Swift code reads (see cpu_area.h).

import CMachine

public enum CPUArea {
    @_semantics("no_performance_analysis") @inline(__always)
    public static var currentThread: UInt {
        get { UInt(cpu_area_current_thread()) }
        set { cpu_area_set_current_thread(newValue) }
    }

    /// Where the next entry from user mode puts its frame.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var kernelStackTop: UInt {
        get { UInt(cpu_area_kernel_stack_top()) }
        set { cpu_area_set_kernel_stack_top(newValue) }
    }

    /// The address space loaded on this CPU (`AddressSpace`'s own number for it).
    @_semantics("no_performance_analysis") @inline(__always)
    public static var addressSpace: UInt {
        get { UInt(cpu_area_address_space()) }
        set { cpu_area_set_address_space(newValue) }
    }

    /// Registers of the innermost interrupted context, 0 outside hard interrupts.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var interruptRegisters: UInt {
        get { UInt(cpu_area_irq_regs()) }
        set { cpu_area_set_irq_regs(newValue) }
    }

    /// Pending soft IRQs of this CPU, a bit each.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var softInterruptsPending: UInt32 {
        get { cpu_area_softirq_pending() }
        set { cpu_area_set_softirq_pending(newValue) }
    }

    /// This CPU's caches of free frames and heap objects, 0 before their first use.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var memoryCache: UInt {
        get { UInt(cpu_area_memory_cache()) }
        set { cpu_area_set_memory_cache(newValue) }
    }

    /// The flags of the current thread that mean work before it returns to user mode (thread_head.h); the
    /// entry code looks at them too (entry.S, return_to_user).
    @_semantics("no_performance_analysis") @inline(__always)
    public static var returnWork: UInt32 { cpu_area_return_work() }

    /// The address of the descriptor of the line that a device's vector belongs to on this CPU; 0 for none.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func line(vector: UInt8) -> UInt { UInt(cpu_area_vector_line(UInt32(vector))) }

    /// Gives a vector of `cpu` to the line whose descriptor is at that address, or to none.
    public static func setLine(_ line: UInt, vector: UInt8, cpu: Int) {
        cpu_area_set_vector_line(UInt32(truncatingIfNeeded: cpu), UInt32(vector), line)
    }

    /// How often `vector` came on `cpu`; any CPU may ask.
    public static func count(vector: UInt8, cpu: Int) -> UInt64 {
        cpu_area_vector_count(UInt32(truncatingIfNeeded: cpu), UInt32(vector))
    }

    /// Identifier of the local APIC of `cpu`; nil for a CPU without an area.
    public static func apicID(of cpu: Int) -> UInt32? {
        let identifier = cpu_area_apic_id_of(UInt32(truncatingIfNeeded: cpu))
        return identifier == .max ? nil : identifier
    }

    /// Counts one interrupt of `vector` on this CPU.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func count(vector: UInt8) { cpu_area_count_vector(UInt32(vector)) }

    /// This CPU's state of deferred work (room Deferred), 0 before it is made.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var deferred: UInt {
        get { UInt(cpu_area_deferred()) }
        set { cpu_area_set_deferred(newValue) }
    }

    /// Takes what this CPU's thread has spent in user mode since it got the CPU, in cycles. Interrupts off.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func takeUserCycles() -> UInt64 {
        let cycles = cpu_area_user_cycles()
        cpu_area_set_user_cycles(0)
        return cycles
    }

    /// The same of any CPU, up to `now`, without taking it; nearly right if that is another CPU.
    public static func pendingUserCycles(cpu: Int, now: UInt64) -> UInt64 {
        cpu_area_pending_user_cycles(UInt32(truncatingIfNeeded: cpu), now)
    }
}
