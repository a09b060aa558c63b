// /sys/devices/system/node: the machine's memory is one node.

import Memory
import Primitives

enum SystemMemory {
    static func add(to tree: PseudoTree) {
        for name: StaticString in ["online", "possible", "has_cpu", "has_memory", "has_normal_memory"] {
            tree.add(Text("devices/system/node/\(name)").bytes) { text, _ in text.add("0\n") }
        }
        tree.add("devices/system/node/node0/cpulist") { text, _ in
            text.add(list: { CPUs.online.contains($0) }, below: CPUs.count)
            text.add("\n")
        }
        tree.add("devices/system/node/node0/cpumap") { text, _ in
            text.add(mask: { CPUs.online.contains($0) }, below: CPUs.count)
            text.add("\n")
        }
        tree.add("devices/system/node/node0/distance") { text, _ in text.add("10\n") }
        tree.add("devices/system/node/node0/meminfo") { text, task in
            let usage = MemoryUsage.now(task)
            ProcMemoryFiles.showMemory(usage, "Node 0 ", &text)
        }
        for name: StaticString in ["enabled", "defrag", "shmem_enabled"] {
            tree.add(Text("kernel/mm/transparent_hugepage/\(name)").bytes) { text, _ in
                text.add("always madvise [never]\n")
            }
        }
    }
}
