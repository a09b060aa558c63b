// What the kernel measures about itself: `/sys/kernel/debug`, there without a mount and as file system `debugfs`.

import CrossCPU
import Deferred
import Machine
import Memory
import Primitives
import Tasks

enum DebugFileSystem {
    /// The same one wherever it is mounted.
    static let shared: PseudoFileSystem = make()

    private static func make() -> PseudoFileSystem {
        let fileSystem = PseudoFileSystem(typeName: "debugfs", magic: 0x6462_6720)
        let number = fileSystem.takeNumber()
        let root = PseudoDirectory(fileSystem, number: number, parent: number)
        DebugFiles.add(to: PseudoTree(fileSystem: fileSystem, root: root), under: "")
        fileSystem.root = PathEntry(root: root)
        return fileSystem
    }
}

enum DebugFiles {
    static func add(to tree: PseudoTree, under prefix: StaticString) {
        func path(_ name: Text) -> [UInt8] { Text("\(prefix)\(name)").bytes }
        for kind in Latency.allCases {
            tree.add(path("latency/\(kind.name)"), 0o644) { _, _ throws(Errno) in
                try clear(kind)
            } show: { text, _ in
                show(kind, &text)
            }
        }
        tree.add(path("x86/tlb_single_page_flush_ceiling"), 0o644) { bytes, _ throws(Errno) in
            TLBHooks.pageLimit = UInt(try Input.number(bytes, in: 0...1 << 20))
        } show: { text, _ in
            text.add("\(TLBHooks.pageLimit)\n")
        }
        tree.add(path("workqueues"), 0o444, store: nil) { text, _ in showQueues(&text) }
        tree.add(path("worker_pools"), 0o444, store: nil) { text, _ in showPools(&text) }
    }

    // MARK: Latency

    /// Whatever is written clears the histograms of all CPUs; each clears its own, so that nothing is half cleared.
    private static func clear(_ kind: Latency) throws(Errno) {
        let isCleared = withPreemptionOff { off in
            (try? CrossCPU.onEachCPU(off, UInt(kind.rawValue)) { _, word in
                Latency(rawValue: Int(truncatingIfNeeded: word))?.clear()
            }) != nil
        }
        guard isCleared else { throw .inputOutput }
    }

    /// A line for each power of two that has counts, a column for each online CPU.
    private static func show(_ kind: Latency, _ text: inout Text) {
        var histograms: [(cpu: Int, DelayHistogram)] = []
        CPUs.online.forEach { histograms.append(($0, kind.histogram(cpu: $0))) }
        text.add("# nanoseconds")
        text.pad(from: 0, to: 31)
        for (cpu, _) in histograms { text.add("\(padded: cpu, to: 10)") }
        text.add("\n")
        for bucket in 0..<DelayHistogram.bucketCount where histograms.contains(where: { $0.1[bucket] > 0 }) {
            // The counters' cycles as nanoseconds; the last bucket is that of the highest bit.
            let first = bucket == 0 ? 0 : CycleClock.nanoseconds(1 << UInt64(bucket))
            let last = CycleClock.nanoseconds(UInt64.max >> UInt64(63 - bucket))
            text.add("\(padded: first, to: 14) \(padded: last, to: 15) ")
            for (_, histogram) in histograms { text.add("\(padded: histogram[bucket], to: 10)") }
            text.add("\n")
        }
        addRow("count", histograms.map { $0.1.count }, &text)
        addRow("maximum", histograms.map { CycleClock.nanoseconds($0.1.maximum) }, &text)
    }

    private static func addRow(_ name: StaticString, _ values: [UInt64], _ text: inout Text) {
        text.add(column: name, width: 31)
        for value in values { text.add("\(padded: value, to: 10)") }
        text.add("\n")
    }

    // MARK: Work queues

    private static func showQueues(_ text: inout Text) {
        text.add("name                     flags max_active       done    rescued active inactive\n")
        for queue in WorkQueues.queues {
            text.add(column: queue.name, width: 24)
            text.add(" ")
            addLetters(queue.flags, &text)
            text.add("\(padded: queue.maxActive, to: 10) \(padded: queue.done, to: 10) ")
            text.add("\(padded: queue.rescued, to: 10) \(padded: queue.active, to: 6) ")
            text.add("\(padded: queue.inactive, to: 8)\n")
        }
    }

    /// U: unbound, H: high priority, I: CPU-intensive, O: ordered, M: has a rescuer, P: power-efficient.
    private static func addLetters(_ flags: WorkQueue.Flags, _ text: inout Text) {
        let letters: [(WorkQueue.Flags, UInt8)] = [
            (.unbound, UInt8(ascii: "U")), (.highPriority, UInt8(ascii: "H")),
            (.cpuIntensive, UInt8(ascii: "I")), (.ordered, UInt8(ascii: "O")),
            (.memoryReclaim, UInt8(ascii: "M")), (.powerEfficient, UInt8(ascii: "P")),
        ]
        for (flag, letter) in letters {
            text.add(byte: flags.contains(flag) ? letter : UInt8(ascii: "-"))
        }
    }

    private static func showPools(_ text: inout Text) {
        text.add(" cpu nice workers idle waiting running\n")
        for pool in WorkQueues.pools {
            if let cpu = pool.cpu { text.add("\(padded: cpu, to: 4)") } else { text.add("   -") }
            text.add(pool.nice < 0 ? "  -20" : "    0")
            text.add(" \(padded: pool.workers, to: 7) \(padded: pool.idle, to: 4) ")
            text.add(pool.hasWorks ? "    yes" : "     no")
            for name in pool.running { text.add(" \(name)") }
            text.add("\n")
        }
    }
}
