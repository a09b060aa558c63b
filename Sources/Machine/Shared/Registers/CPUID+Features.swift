// What CPUID tells, as typed features (Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E).

/// The CPU's self-description.
public enum CPUID {
    /// The four registers of one answer.
    public struct Leaf: Equatable, Sendable {
        public var eax: UInt32
        public var ebx: UInt32
        public var ecx: UInt32
        public var edx: UInt32

        public init(eax: UInt32 = 0, ebx: UInt32 = 0, ecx: UInt32 = 0, edx: UInt32 = 0) {
            self.eax = eax
            self.ebx = ebx
            self.ecx = ecx
            self.edx = edx
        }
    }

    /// The leaf if the CPU has it, else zeros.
    public static func leafIfPresent(_ number: UInt32, _ subleaf: UInt32 = 0) -> Leaf {
        leaf(number & 0xffff_0000).eax >= number ? leaf(number, subleaf) : Leaf()
    }

    /// The features of the CPU that runs this. Some 10 CPUID instructions, which a hypervisor
    /// intercepts: not for hot paths.
    public static func readFeatures() -> Features {
        Features(
            basic: leafIfPresent(1), structured: leafIfPresent(7), extended: leafIfPresent(0x8000_0001),
            power: leafIfPresent(0x8000_0007), thermal: leafIfPresent(6))
    }
}

extension CPUID {
    /// One bit each, as the manuals name them.
    public struct Features: Equatable, Sendable {
        private var basic: Leaf
        private var structured: Leaf
        private var extended: Leaf
        private var power: Leaf
        private var thermal: Leaf

        public init(basic: Leaf, structured: Leaf, extended: Leaf, power: Leaf, thermal: Leaf) {
            self.basic = basic
            self.structured = structured
            self.extended = extended
            self.power = power
            self.thermal = thermal
        }

        public var family: UInt32 {
            let low = basic.eax >> 8 & 15
            return low == 15 ? low + (basic.eax >> 20 & 255) : low
        }
        public var model: UInt32 {
            let low = basic.eax >> 4 & 15
            let hasHigh = basic.eax >> 8 & 15 == 6 || basic.eax >> 8 & 15 == 15
            return hasHigh ? low | basic.eax >> 12 & 0xf0 : low
        }
        public var stepping: UInt32 { basic.eax & 15 }
        /// The 8-bit local APIC identifier.
        public var initialAPICID: UInt32 { basic.ebx >> 24 }

        public var hasFPU: Bool { basic.edx >> 0 & 1 != 0 }
        public var hasTSC: Bool { basic.edx >> 4 & 1 != 0 }
        public var hasMSR: Bool { basic.edx >> 5 & 1 != 0 }
        public var hasMachineCheck: Bool { basic.edx >> 14 & 1 != 0 && basic.edx >> 7 & 1 != 0 }
        public var hasAPIC: Bool { basic.edx >> 9 & 1 != 0 }
        public var hasGlobalPages: Bool { basic.edx >> 13 & 1 != 0 }
        public var hasFXSAVE: Bool { basic.edx >> 24 & 1 != 0 }
        public var hasSSE2: Bool { basic.edx >> 26 & 1 != 0 }
        public var hasPCID: Bool { basic.ecx >> 17 & 1 != 0 }
        public var hasX2APIC: Bool { basic.ecx >> 21 & 1 != 0 }
        public var hasTSCDeadline: Bool { basic.ecx >> 24 & 1 != 0 }
        public var hasXSAVE: Bool { basic.ecx >> 26 & 1 != 0 }
        public var hasAVX: Bool { basic.ecx >> 28 & 1 != 0 }
        public var hasRDRAND: Bool { basic.ecx >> 30 & 1 != 0 }
        public var hasHypervisor: Bool { basic.ecx >> 31 & 1 != 0 }

        public var hasFSGSBASE: Bool { structured.ebx >> 0 & 1 != 0 }
        public var hasTSCAdjust: Bool { structured.ebx >> 1 & 1 != 0 }
        public var hasSMEP: Bool { structured.ebx >> 7 & 1 != 0 }
        public var hasERMS: Bool { structured.ebx >> 9 & 1 != 0 }
        public var hasINVPCID: Bool { structured.ebx >> 10 & 1 != 0 }
        public var hasRDSEED: Bool { structured.ebx >> 18 & 1 != 0 }
        public var hasSMAP: Bool { structured.ebx >> 20 & 1 != 0 }
        public var hasUMIP: Bool { structured.ecx >> 2 & 1 != 0 }

        public var hasSYSCALL: Bool { extended.edx >> 11 & 1 != 0 }
        public var hasNoExecute: Bool { extended.edx >> 20 & 1 != 0 }
        public var hasGigabytePages: Bool { extended.edx >> 26 & 1 != 0 }
        public var hasRDTSCP: Bool { extended.edx >> 27 & 1 != 0 }
        public var hasLongMode: Bool { extended.edx >> 29 & 1 != 0 }

        /// The TSC runs at one rate in all power states.
        public var hasInvariantTSC: Bool { power.edx >> 8 & 1 != 0 }
        /// The local APIC timer runs on in deep sleep.
        public var hasAlwaysRunningAPICTimer: Bool { thermal.eax >> 2 & 1 != 0 }
    }
}
