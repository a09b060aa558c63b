// The model of the CPUs as /proc/cpuinfo shows it: read once from CPUID on the CPU that asks first. All CPUs
// of a machine are taken to be alike.

import Machine

struct ProcessorDescription: Sendable {
    var vendor: [UInt8] = []
    var family: UInt32 = 0
    var model: UInt32 = 0
    var stepping: UInt32 = 0
    var brand: [UInt8] = []
    var flags = Text()
    /// KiB of the last level of cache, 0 if unknown.
    var cacheSize: UInt32 = 0
    var flushSize: UInt32 = 64
    var cacheAlignment: UInt32 { flushSize }
    var physicalBits: UInt32 = 36
    var virtualBits: UInt32 = 48
    var highestLeaf: UInt32 = 0
    /// Threads that share a package, by CPUID.
    var threadsPerPackage: UInt32 = 1

    static func read() -> ProcessorDescription {
        var result = ProcessorDescription()
        let first = CPUID.leaf(0)
        result.highestLeaf = first.eax
        for word in [first.ebx, first.edx, first.ecx] { append(word, to: &result.vendor) }
        let features = CPUID.readFeatures()
        result.family = features.family
        if features.family == 15 { result.family += CPUID.leafIfPresent(1).eax >> 20 & 0xff }
        result.model = features.model
        result.stepping = features.stepping
        result.readBrand()
        result.readSizes()
        result.readFlags()
        return result
    }

    private static func append(_ word: UInt32, to bytes: inout [UInt8]) {
        for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift * 8))) }
    }

    /// Leaves 0x80000002 … 4: the name, padded with spaces or zeros.
    private mutating func readBrand() {
        for number in UInt32(0x8000_0002)...0x8000_0004 {
            let leaf = CPUID.leafIfPresent(number)
            for word in [leaf.eax, leaf.ebx, leaf.ecx, leaf.edx] { Self.append(word, to: &brand) }
        }
        while let last = brand.last, last == 0 || last == 32 { brand.removeLast() }
        while let first = brand.first, first == 32 { brand.removeFirst() }
        if brand.isEmpty { brand = Text("unknown").bytes }
    }

    private mutating func readSizes() {
        let basic = CPUID.leafIfPresent(1)
        if basic.edx >> 19 & 1 != 0 { flushSize = (basic.ebx >> 8 & 0xff) * 8 }
        if basic.edx >> 28 & 1 != 0 { threadsPerPackage = max(basic.ebx >> 16 & 0xff, 1) }
        let sizes = CPUID.leafIfPresent(0x8000_0008).eax
        if sizes != 0 {
            physicalBits = sizes & 0xff
            virtualBits = sizes >> 8 & 0xff
        }
        cacheSize = deterministicCacheSize ?? CPUID.leafIfPresent(0x8000_0006).ecx >> 16
    }

    /// The largest cache that leaf 4 lists (Intel SDM volume 2, CPUID).
    private var deterministicCacheSize: UInt32? {
        guard highestLeaf >= 4 else { return nil }
        var largest: UInt32 = 0
        for index in UInt32(0)..<8 {
            let leaf = CPUID.leaf(4, index)
            if leaf.eax & 31 == 0 { break }
            let ways = (leaf.ebx >> 22) + 1
            let partitions = (leaf.ebx >> 12 & 0x3ff) + 1
            let lineSize = (leaf.ebx & 0xfff) + 1
            let (sets, overflow) = leaf.ecx.addingReportingOverflow(1)
            let bytes = overflow ? 0 : UInt64(ways * partitions) * UInt64(lineSize) * UInt64(sets)
            largest = max(largest, UInt32(truncatingIfNeeded: bytes >> 10))
        }
        return largest == 0 ? nil : largest
    }

    private mutating func readFlags() {
        for (index, word) in FeatureWord.all.enumerated() {
            word.add(word.read(), to: &flags)
            // Linux's own words stand behind AMD's first.
            if index == 1 { addDerivedFlags() }
        }
    }

    /// What Linux concludes by itself.
    private mutating func addDerivedFlags() {
        let isInvariant = CPUID.readFeatures().hasInvariantTSC
        if isInvariant { flags.add(" constant_tsc") }
        flags.add(" rep_good nopl")
        if isInvariant { flags.add(" nonstop_tsc") }
        flags.add(" cpuid")
    }
}
