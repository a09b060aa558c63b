// The CPUID instruction.

import CMachine

extension CPUID {
    @_semantics("no_performance_analysis")
    public static func leaf(_ leaf: UInt32, _ subleaf: UInt32 = 0) -> Leaf {
        let raw = machine_cpuid(leaf, subleaf)
        return Leaf(eax: raw.eax, ebx: raw.ebx, ecx: raw.ecx, edx: raw.edx)
    }
}
