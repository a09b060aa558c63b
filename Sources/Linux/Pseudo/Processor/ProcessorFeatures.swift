// The names Linux gives to what CPUID tells (`flags` of /proc/cpuinfo), a list for each register.

import Machine

/// A register of a CPUID leaf with the names of its bits, lowest first; `-` for bits without a name.
struct FeatureWord: Sendable {
    enum Register: Sendable { case eax, ebx, ecx, edx }

    let leaf: UInt32
    let subleaf: UInt32
    let register: Register
    let names: StaticString

    /// The words in the order in which Linux shows them (asm/cpufeatures.h).
    static let all: [FeatureWord] = [
        FeatureWord(
            leaf: 1, subleaf: 0, register: .edx,
            names: """
                fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi \
                mmx fxsr sse sse2 ss ht tm ia64 pbe
                """),
        FeatureWord(
            leaf: 0x8000_0001, subleaf: 0, register: .edx,
            names: """
                - - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm \
                3dnowext 3dnow
                """),
        FeatureWord(
            leaf: 1, subleaf: 0, register: .ecx,
            names: """
                pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca \
                sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor
                """),
        FeatureWord(
            leaf: 0x8000_0001, subleaf: 0, register: .ecx,
            names: """
                lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit \
                wdt - lwp fma4 tce - nodeid_msr - tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc \
                mwaitx
                """),
        FeatureWord(
            leaf: 7, subleaf: 0, register: .ebx,
            names: """
                fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f \
                avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni \
                avx512bw avx512vl
                """),
        FeatureWord(
            leaf: 13, subleaf: 1, register: .eax, names: "xsaveopt xsavec xgetbv1 xsaves xfd"),
        FeatureWord(
            leaf: 7, subleaf: 1, register: .eax, names: "- - - - avx_vnni avx512_bf16"),
        FeatureWord(
            leaf: 0x8000_0008, subleaf: 0, register: .ebx,
            names: "clzero irperf xsaveerptr - rdpru - - - - wbnoinvd"),
        FeatureWord(
            leaf: 6, subleaf: 0, register: .eax,
            names: "dtherm ida arat - pln - pts hwp hwp_notify hwp_act_window hwp_epp hwp_pkg_req"),
        FeatureWord(
            leaf: 7, subleaf: 0, register: .ecx,
            names: """
                - avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni avx512_bitalg \
                tme avx512_vpopcntdq - la57 - - - - - rdpid - bus_lock_detect cldemote - movdiri movdir64b enqcmd
                """),
        FeatureWord(
            leaf: 7, subleaf: 0, register: .edx,
            names: """
                - - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect - md_clear - - - serialize - \
                tsxldtrk pconfig arch_lbr ibt - - amx_bf16 avx512_fp16 amx_tile amx_int8 - - flush_l1d \
                arch_capabilities
                """),
    ]

    func read() -> UInt32 {
        let leaf = CPUID.leafIfPresent(leaf, subleaf)
        return switch register {
        case .eax: leaf.eax
        case .ebx: leaf.ebx
        case .ecx: leaf.ecx
        case .edx: leaf.edx
        }
    }

    /// Adds the names of the bits that are set, each with a space in front.
    func add(_ bits: UInt32, to text: inout Text) {
        // A static string's code units live as long as the kernel.
        let units = unsafe Span(
            _unsafeElements: UnsafeBufferPointer(start: names.utf8Start, count: names.utf8CodeUnitCount))
        var bit: UInt32 = 0
        var start = 0
        while start < units.count {
            var end = start
            while end < units.count, units[end] != 32 { end += 1 }
            if bits >> bit & 1 != 0, units[start] != 45 {
                text.add(byte: 32)
                text.add(units.extracting(start..<end))
            }
            bit += 1
            start = end + 1
        }
    }
}
