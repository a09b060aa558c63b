// /sys/devices/system/cpu: the CPUs and how they are arranged.

import CrossCPU
import Machine
import Primitives

enum SystemProcessors {
    static func add(to tree: PseudoTree) {
        addSets(to: tree)
        for cpu in 0..<CPUs.count { add(cpu, to: tree) }
    }

    private static func set(
        _ tree: PseudoTree, _ path: StaticString, _ contains: @escaping @Sendable (Int) -> Bool
    ) {
        tree.add(path) { text, _ in
            text.add(list: contains, below: CPUs.count)
            text.add("\n")
        }
    }

    private static func addSets(to tree: PseudoTree) {
        set(tree, "devices/system/cpu/online") { CPUs.online.contains($0) }
        set(tree, "devices/system/cpu/offline") { !CPUs.online.contains($0) }
        set(tree, "devices/system/cpu/possible") { _ in true }
        set(tree, "devices/system/cpu/present") { _ in true }
        set(tree, "devices/system/cpu/isolated") { _ in false }
        tree.add("devices/system/cpu/hotplug/states") { text, _ in
            for state in CPUState.allCases { text.add("\(state.rawValue): \(state.name)\n") }
        }
        tree.add("devices/system/cpu/kernel_max") { text, _ in text.add("\(maximumCPUs - 1)\n") }
        tree.add("devices/system/cpu/smt/active") { text, _ in text.add(hasThreads ? "1\n" : "0\n") }
        tree.add("devices/system/cpu/smt/control") { text, _ in
            text.add(hasThreads ? "on\n" : "notsupported\n")
        }
    }

    /// Whether two CPUs share a core.
    private static var hasThreads: Bool { ProcessorTopology.of(0).coreMask.count > 1 }

    private static func add(_ cpu: Int, to tree: PseudoTree) {
        let directory = Text("devices/system/cpu/cpu\(cpu)/").bytes
        if cpu > 0 {
            tree.add(directory + Text("online").bytes, 0o644) { bytes, task throws(Errno) in
                let wanted = try Input.number(bytes, in: 0...1)
                try CPUHotplug.set(cpu, online: wanted == 1, task)
            } show: { text, _ in
                text.add(CPUs.online.contains(cpu) ? "1\n" : "0\n")
            }
        }
        tree.add(directory + Text("hotplug/state").bytes) { text, _ in
            text.add("\(CPUHotplug.state(of: cpu).rawValue)\n")
        }
        func number(_ name: StaticString, _ value: @escaping @Sendable (ProcessorTopology) -> UInt32) {
            tree.add(directory + Text("topology/\(name)").bytes) { text, _ in
                text.add("\(value(ProcessorTopology.of(cpu)))\n")
            }
        }
        func mask(_ name: StaticString, _ value: @escaping @Sendable (ProcessorTopology) -> CPUMask) {
            tree.add(directory + Text("topology/\(name)").bytes) { text, _ in
                let mask = value(ProcessorTopology.of(cpu))
                text.add(mask: { mask.contains($0) }, below: CPUs.count)
                text.add("\n")
            }
            tree.add(directory + Text("topology/\(name)_list").bytes) { text, _ in
                let mask = value(ProcessorTopology.of(cpu))
                text.add(list: { mask.contains($0) }, below: CPUs.count)
                text.add("\n")
            }
        }
        number("physical_package_id") { $0.package }
        number("die_id") { _ in 0 }
        number("core_id") { $0.core }
        mask("thread_siblings") { $0.coreMask }
        mask("core_cpus") { $0.coreMask }
        mask("core_siblings") { $0.packageMask }
        mask("package_cpus") { $0.packageMask }
    }
}
