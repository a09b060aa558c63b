// The CPU's own random numbers, where it has them.

import CMachine

public enum HardwareRandom {
    /// Attempts before the CPU counts as having none ready (Intel: ten are enough in practice).
    private static let attempts = 10

    /// From the entropy source itself (RDSEED); nil without one.
    public static func seed() -> UInt64? {
        guard machine_cpuid(0, 0).eax >= 7, machine_cpuid(7, 0).ebx >> 18 & 1 != 0 else { return nil }
        var word: UInt64 = 0
        // The address of a local variable.
        for _ in 0..<attempts where unsafe machine_rdseed(&word) { return word }
        return nil
    }

    /// From the CPU's generator (RDRAND); nil without one.
    public static func word() -> UInt64? {
        guard machine_cpuid(1, 0).ecx >> 30 & 1 != 0 else { return nil }
        var word: UInt64 = 0
        // The address of a local variable.
        for _ in 0..<attempts where unsafe machine_rdrand(&word) { return word }
        return nil
    }

    /// The time stamp counter, whose low bits nobody outside knows exactly.
    public static func timeStamp() -> UInt64 { machine_rdtsc() }
}
