// The model-specific registers that the kernel uses (Intel SDM volume 4).

/// A model-specific register.
public struct MSR: Sendable {
    public let number: UInt32
    @inline(__always) public init(_ number: UInt32) { self.number = number }

    public static let apicBase = MSR(0x1b)
    public static let timeStampCounterAdjust = MSR(0x3b)
    public static let machineCheckCapabilities = MSR(0x179)
    public static let machineCheckStatus = MSR(0x17a)
    /// Status of bank `n` of the machine-check architecture.
    public static func machineCheckBankStatus(_ n: UInt32) -> MSR { MSR(0x401 &+ 4 &* n) }
    public static func machineCheckBankAddress(_ n: UInt32) -> MSR { MSR(0x402 &+ 4 &* n) }
    public static let pageAttributeTable = MSR(0x277)
    /// The TSC value at which the local APIC timer fires, in TSC-deadline mode.
    public static let timeStampCounterDeadline = MSR(0x6e0)
    /// First of the x2APIC registers: number = 0x800 + xAPIC offset / 16.
    public static let x2APICBase: UInt32 = 0x800
    public static let extendedFeatures = MSR(0xc000_0080)
    public static let systemCallTarget = MSR(0xc000_0081)
    public static let longSystemCallTarget = MSR(0xc000_0082)
    public static let compatibilitySystemCallTarget = MSR(0xc000_0083)
    public static let systemCallFlagMask = MSR(0xc000_0084)
    public static let fsBase = MSR(0xc000_0100)
    public static let gsBase = MSR(0xc000_0101)
    /// The GS base that SWAPGS exchanges: the user's while the kernel runs.
    public static let kernelGSBase = MSR(0xc000_0102)
    public static let timeStampCounterAux = MSR(0xc000_0103)
}
