// What the CPU must have, and the protections switched on where it has them.

import CMachine
import Machine
import Primitives

enum CPUFeatures {
    /// CR4 bits (Intel SDM volume 3, 2.5).
    private static let osFXSR: UInt64 = 1 << 9
    private static let osXMMException: UInt64 = 1 << 10
    private static let umip: UInt64 = 1 << 11
    private static let fsgsbase: UInt64 = 1 << 16
    private static let contextIdentifiers: UInt64 = 1 << 17
    private static let osXSAVE: UInt64 = 1 << 18
    private static let smep: UInt64 = 1 << 20
    private static let smap: UInt64 = 1 << 21

    /// What is missing, named; nil when the CPU has all that the kernel needs.
    static func missing() -> StaticString? {
        let basic = machine_cpuid(1, 0)
        let extended = machine_cpuid(0x8000_0001, 0)
        let needed: [(UInt32, UInt32, StaticString)] = [
            (basic.edx, 0, "x87 FPU"), (basic.edx, 4, "time stamp counter"),
            (basic.edx, 5, "model-specific registers"), (basic.edx, 8, "CMPXCHG8B"),
            (basic.edx, 9, "local APIC"), (basic.edx, 13, "global pages"), (basic.edx, 15, "CMOV"),
            (basic.edx, 24, "FXSAVE"), (basic.edx, 26, "SSE2"), (extended.edx, 11, "SYSCALL"),
            (extended.edx, 20, "no-execute pages"), (extended.edx, 29, "64-bit mode"),
        ]
        for (word, bit, name) in needed where word & (1 << bit) == 0 { return name }
        return nil
    }

    static var hasGigabytePages: Bool { machine_cpuid(0x8000_0001, 0).edx & (1 << 26) != 0 }

    /// Switches on, on this CPU, what it has of SMEP, SMAP, UMIP, FSGSBASE and XSAVE, and the SSE state
    /// that user programs need.
    static func enable() {
        var cr4 = machine_read_cr4() | osFXSR | osXMMException
        let leaf7 = machine_cpuid(0, 0).eax >= 7 ? machine_cpuid(7, 0) : .init()
        if leaf7.ebx & (1 << 0) != 0 { cr4 |= fsgsbase }
        if leaf7.ebx & (1 << 7) != 0 { cr4 |= smep }
        if leaf7.ebx & (1 << 20) != 0 {
            // The text is the same for all CPUs: the first one prepares it.
            if CPU.index == 0 { machine_enable_smap_sites() }
            cr4 |= smap
        }
        if leaf7.ecx & (1 << 2) != 0 { cr4 |= umip }
        if machine_cpuid(1, 0).ecx & (1 << 26) != 0 { cr4 |= osXSAVE }
        // The page table loaded now is context 0's, as this bit demands.
        if machine_cpuid(1, 0).ecx & (1 << 17) != 0 { cr4 |= contextIdentifiers }
        machine_write_cr4(cr4)
    }

    /// Tells the rooms what was switched on. Boot CPU, once, after `enable`.
    static func detect() {
        // Set before any other CPU runs.
        unsafe TranslationContext.isSupported = machine_cpuid(1, 0).ecx & (1 << 17) != 0
        FPU.detect()
        SegmentBases.detect()
        // A hypervisor (CPUID leaf 1, ECX bit 31) may stop one CPU while the others go on.
        if machine_cpuid(1, 0).ecx & (1 << 31) != 0 { SpinWaiting.giveUpFairness() }
    }
}
