// /proc/meminfo, vmstat, buddyinfo.

import Machine
import Memory
import Primitives

enum ProcMemoryFiles {
    static func add(to tree: PseudoTree) {
        tree.add("meminfo") { text, task in showMemory(MemoryUsage.now(task), "", &text) }
        tree.add("vmstat") { text, task in showCounters(MemoryUsage.now(task), &text) }
        tree.add("buddyinfo") { text, _ in showBuddies(&text) }
    }

    /// A line for each figure: name, kibibytes. `prefix` stands in front (`Node 0 `, below /sys).
    static func showMemory(_ usage: MemoryUsage, _ prefix: StaticString, _ text: inout Text) {
        let frames: [(StaticString, Int)] = [
            ("MemTotal", usage.total), ("MemFree", usage.free), ("MemAvailable", usage.available),
            ("Buffers", 0), ("Cached", usage.cached), ("SwapCached", 0),
            ("Active", usage.anonymous + usage.cached), ("Inactive", 0),
            ("Active(anon)", usage.anonymous + usage.shared), ("Inactive(anon)", 0),
            ("Active(file)", usage.cached - usage.shared), ("Inactive(file)", 0), ("Unevictable", 0),
            ("Mlocked", 0), ("SwapTotal", 0), ("SwapFree", 0), ("Dirty", 0), ("Writeback", 0),
            ("AnonPages", usage.anonymous), ("Mapped", usage.mapped), ("Shmem", usage.shared),
            ("KReclaimable", 0), ("Slab", usage.heap), ("SReclaimable", 0), ("SUnreclaim", usage.heap),
            ("KernelStack", usage.stacks), ("PageTables", usage.pageTables), ("NFS_Unstable", 0),
            ("Bounce", 0), ("WritebackTmp", 0), ("CommitLimit", usage.total / 2),
            ("Committed_AS", usage.anonymous + usage.shared), ("VmallocTotal", 1 << 28),
            ("VmallocUsed", usage.stacks), ("VmallocChunk", 0),
        ]
        for (name, count) in frames { add(prefix, name, count * 4, " kB\n", &text) }
        for name: StaticString in ["HugePages_Total", "HugePages_Free", "HugePages_Rsvd", "HugePages_Surp"] {
            add(prefix, name, 0, "\n", &text)
        }
        add(prefix, "Hugepagesize", 2048, " kB\n", &text)
        add(prefix, "Hugetlb", 0, " kB\n", &text)
    }

    private static func add(
        _ prefix: StaticString, _ name: StaticString, _ value: Int, _ unit: StaticString, _ text: inout Text
    ) {
        text.add("\(prefix)")
        let start = text.count
        text.add("\(name):")
        text.pad(from: start, to: 16)
        text.add("\(padded: value, to: 8)\(unit)")
    }

    private static func showCounters(_ usage: MemoryUsage, _ text: inout Text) {
        var faults: UInt64 = 0
        CPUs.online.forEach { faults &+= CPUArea.count(vector: 14, cpu: $0) }
        text.add("nr_free_pages \(usage.free)\nnr_anon_pages \(usage.anonymous)\nnr_mapped \(usage.mapped)\n")
        text.add("nr_file_pages \(usage.cached)\nnr_dirty 0\nnr_writeback 0\nnr_shmem \(usage.shared)\n")
        text.add("nr_page_table_pages \(usage.pageTables)\nnr_kernel_stack \(usage.stacks * 4)\n")
        text.add("nr_slab_reclaimable 0\nnr_slab_unreclaimable \(usage.heap)\n")
        text.add("pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault \(faults)\npgmajfault 0\n")
    }

    private static func showBuddies(_ text: inout Text) {
        text.add("Node 0, zone   Normal ")
        for order in 0...Frames.maximumOrder {
            text.add("\(padded: Frames.freeBlocks(order: order), to: 6) ")
        }
        text.add("\n")
    }
}
