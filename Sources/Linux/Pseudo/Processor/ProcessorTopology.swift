// Where a CPU stands among the others: package, core, thread. Derived from its local APIC's number by the
// widths that CPUID leaf 0xb (or 1 and 4) gives for threads and cores (Intel SDM volume 3, 9.9).

import Machine
import Primitives

struct ProcessorTopology {
    var apicID: UInt32
    var package: UInt32
    var core: UInt32
    /// Online CPUs of the same package, and distinct cores among them.
    var siblings: Int = 1
    var cores: Int = 1
    /// Numbers of the CPUs of the same core, and of the same package.
    var coreMask = CPUMask()
    var packageMask = CPUMask()

    /// Bits of the APIC number for the thread within its core, and for the core within its package.
    private struct Widths {
        var thread: UInt32 = 0
        var core: UInt32 = 0

        static func read() -> Widths {
            var widths = Widths()
            let first = CPUID.leafIfPresent(0xb, 0)
            let second = CPUID.leafIfPresent(0xb, 1)
            if first.ebx & 0xffff != 0, second.ebx & 0xffff != 0 {
                widths.thread = first.eax & 31
                widths.core = max(second.eax & 31, widths.thread)
                return widths
            }
            let features = CPUID.leafIfPresent(1)
            let logical = features.edx >> 28 & 1 != 0 ? features.ebx >> 16 & 0xff : 1
            widths.core = bits(max(logical, 1))
            let cores = (CPUID.leafIfPresent(4).eax >> 26) + 1
            widths.thread = widths.core - min(bits(cores), widths.core)
            return widths
        }

        private static func bits(_ count: UInt32) -> UInt32 {
            count <= 1 ? 0 : UInt32(32 - (count - 1).leadingZeroBitCount)
        }
    }

    private static let widths = Widths.read()

    /// Local APIC numbers of the CPUs, by CPU number. Set once at boot.
    nonisolated(unsafe) static var apicIDs: [UInt32] = []

    private init(_ cpu: Int) {
        let widths = Self.widths
        // Not written after boot.
        apicID = unsafe cpu < Self.apicIDs.count ? Self.apicIDs[cpu] : UInt32(cpu)
        package = widths.core >= 32 ? 0 : apicID >> widths.core
        core = (widths.core >= 32 ? apicID : apicID & ((1 << widths.core) - 1)) >> widths.thread
    }

    /// Of an online CPU. Linear in the number of CPUs.
    static func of(_ cpu: Int) -> ProcessorTopology {
        var result = ProcessorTopology(cpu)
        var firstOfCore = 0
        for other in 0..<CPUs.count where CPUs.online.contains(other) {
            let place = ProcessorTopology(other)
            guard place.package == result.package else { continue }
            result.packageMask.insert(other)
            if place.core == result.core { result.coreMask.insert(other) }
            if place.apicID & ((1 << widths.thread) - 1) == 0 { firstOfCore += 1 }
        }
        result.siblings = max(result.packageMask.count, 1)
        result.cores = max(firstOfCore, 1)
        return result
    }
}
