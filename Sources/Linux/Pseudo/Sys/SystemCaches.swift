// /sys/devices/system/cpu/cpuN/cache: the caches that CPUID leaf 4 lists (Intel SDM volume 2, CPUID). AMD's leaf
// 0x8000001d has the same layout.

import Machine
import Primitives

/// One level of cache.
struct CacheDescription: Sendable {
    var level: UInt32
    var type: StaticString
    var lineSize: UInt32
    var partitions: UInt32
    var ways: UInt32
    var sets: UInt32
    /// Logical processors that share it at most.
    var sharing: UInt32

    var size: UInt64 { UInt64(lineSize) * UInt64(partitions) * UInt64(ways) * UInt64(sets) }

    /// All levels, in the order of the leaf.
    static func readAll() -> [CacheDescription] {
        let hasExtended = CPUID.leafIfPresent(0x8000_0001).ecx >> 22 & 1 != 0
        let leaf: UInt32 = CPUID.leafIfPresent(4).eax & 31 == 0 && hasExtended ? 0x8000_001d : 4
        var result: [CacheDescription] = []
        for index in UInt32(0)..<8 {
            let answer = CPUID.leafIfPresent(leaf, index)
            let kind = answer.eax & 31
            guard kind >= 1, kind <= 3 else { break }
            result.append(
                CacheDescription(
                    level: answer.eax >> 5 & 7,
                    type: kind == 1 ? "Data" : kind == 2 ? "Instruction" : "Unified",
                    lineSize: (answer.ebx & 0xfff) + 1, partitions: (answer.ebx >> 12 & 0x3ff) + 1,
                    ways: (answer.ebx >> 22) + 1, sets: answer.ecx &+ 1,
                    sharing: (answer.eax >> 14 & 0xfff) + 1))
        }
        return result
    }
}

enum SystemCaches {
    static func add(to tree: PseudoTree) {
        let caches = CacheDescription.readAll()
        for cpu in 0..<CPUs.count {
            for (index, cache) in caches.enumerated() { add(cache, cpu, index, to: tree) }
        }
    }

    private static func add(_ cache: CacheDescription, _ cpu: Int, _ index: Int, to tree: PseudoTree) {
        let directory = Text("devices/system/cpu/cpu\(cpu)/cache/index\(index)/").bytes
        func value(_ name: StaticString, _ value: Text) {
            tree.add(directory + Text("\(name)").bytes) { text, _ in text.add("\(value)\n") }
        }
        value("level", "\(cache.level)")
        value("type", "\(cache.type)")
        value("size", "\(cache.size >> 10)K")
        value("coherency_line_size", "\(cache.lineSize)")
        value("physical_line_partition", "\(cache.partitions)")
        value("ways_of_associativity", "\(cache.ways)")
        value("number_of_sets", "\(cache.sets)")
        tree.add(directory + Text("shared_cpu_map").bytes) { text, _ in
            let mask = sharers(of: cache, cpu)
            text.add(mask: { mask.contains($0) }, below: CPUs.count)
            text.add("\n")
        }
        tree.add(directory + Text("shared_cpu_list").bytes) { text, _ in
            let mask = sharers(of: cache, cpu)
            text.add(list: { mask.contains($0) }, below: CPUs.count)
            text.add("\n")
        }
    }

    /// The CPUs whose APIC numbers agree above the bits that sharing takes.
    private static func sharers(of cache: CacheDescription, _ cpu: Int) -> CPUMask {
        var bits: UInt32 = 0
        while bits < 31, 1 << bits < cache.sharing { bits += 1 }
        let group = ProcessorTopology.of(cpu).apicID >> bits
        var mask = CPUMask()
        CPUs.online.forEach { other in
            if ProcessorTopology.of(other).apicID >> bits == group { mask.insert(other) }
        }
        return mask
    }
}
