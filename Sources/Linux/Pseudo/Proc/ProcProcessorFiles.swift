// /proc/cpuinfo.

import Machine
import Primitives

enum ProcProcessorFiles {
    /// All CPUs of the machine are alike; read on first use.
    private static let description = ProcessorDescription.read()

    static func add(to tree: PseudoTree) {
        tree.add("cpuinfo") { text, _ in
            let description = Self.description
            let online = CPUs.online
            for cpu in 0..<CPUs.count where online.contains(cpu) { show(cpu, description, &text) }
        }
    }

    private static func show(_ cpu: Int, _ description: ProcessorDescription, _ text: inout Text) {
        // Cycles in a millisecond.
        let kilohertz = CycleClock.cycles(nanoseconds: 1_000_000)
        let topology = ProcessorTopology.of(cpu)
        text.add(
            "processor\t: \(cpu)\nvendor_id\t: \(description.vendor)\ncpu family\t: \(description.family)\n")
        text.add("model\t\t: \(description.model)\nmodel name\t: \(description.brand)\n")
        text.add("stepping\t: \(description.stepping)\n")
        text.add("cpu MHz\t\t: \(kilohertz / 1000).\(padded: kilohertz % 1000, to: 3, with: 48)\n")
        if description.cacheSize > 0 { text.add("cache size\t: \(description.cacheSize) KB\n") }
        text.add("physical id\t: \(topology.package)\nsiblings\t: \(topology.siblings)\n")
        text.add("core id\t\t: \(topology.core)\ncpu cores\t: \(topology.cores)\n")
        text.add("apicid\t\t: \(topology.apicID)\ninitial apicid\t: \(topology.apicID)\n")
        text.add(
            "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: \(description.highestLeaf)\nwp\t\t: yes\n")
        text.add("flags\t\t:\(description.flags)\nbugs\t\t:\n")
        // What Linux's delay loop would count: two loops a cycle.
        let bogo = kilohertz / 5
        text.add("bogomips\t: \(bogo / 100).\(padded: bogo % 100, to: 2, with: 48)\n")
        text.add(
            "clflush size\t: \(description.flushSize)\ncache_alignment\t: \(description.cacheAlignment)\n")
        text.add(
            "address sizes\t: \(description.physicalBits) bits physical, \(description.virtualBits) bits virtual\n"
        )
        text.add("power management:\n\n")
    }
}
