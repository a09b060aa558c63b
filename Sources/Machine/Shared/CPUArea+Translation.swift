// What each CPU knows of its own TLB.

import CMachine

extension CPUArea {
    /// Up to which change of the loaded address space this CPU has forgotten translations.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var translationGeneration: UInt64 {
        get { cpu_area_tlb_generation() }
        set { cpu_area_set_tlb_generation(newValue) }
    }

    /// Whether this CPU runs a kernel thread, which has no use for the address space loaded.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var isTranslationLazy: Bool { cpu_area_tlb_lazy() != 0 }

    /// Others may see it late: then they tell this CPU what it need not know.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func beginLazyTranslation() { cpu_area_set_tlb_lazy(1) }

    /// Everything this CPU loads afterwards is loaded after others can see it.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func endLazyTranslation() { cpu_area_end_tlb_lazy() }

    /// Whether `cpu` has no use for the address space it has loaded.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func isTranslationLazy(cpu: Int) -> Bool {
        cpu_area_is_tlb_lazy(UInt32(truncatingIfNeeded: cpu))
    }
}

/// What the TLB of this CPU may hold of address spaces that are not loaded, by process context identifier
/// (Intel SDM volume 3, 4.10.1). Interrupts are off.
public enum TranslationContext {
    /// Address spaces remembered at once, with the identifiers 1 ... `count`; 0 is the kernel's own page table's.
    public static let count = UInt32(CPU_TLB_CONTEXTS)

    /// Whether CPUs have identifiers at all. Set by the boot CPU before others run.
    nonisolated(unsafe) public static var isSupported = false

    /// The identifier of the address space loaded.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var current: UInt32 {
        get { cpu_area_tlb_context() }
        set { cpu_area_set_tlb_context(newValue) }
    }

    /// Notes that the TLB is right for address space `space` up to `generation`.
    public static func note(_ context: UInt32, space: UInt64, generation: UInt64) {
        cpu_area_note_tlb_context(context &- 1, space, generation)
    }

    /// The identifier under which the TLB may know address space `space`, and up to which change it is right; else an
    /// identifier to be used anew, with nil.
    public static func find(_ space: UInt64) -> (context: UInt32, generation: UInt64?) {
        for context in 0..<count where cpu_area_tlb_context_space(context) == space {
            return (context &+ 1, cpu_area_tlb_context_generation(context))
        }
        // Not the one in use: round and round.
        return (current % count &+ 1, nil)
    }
}
