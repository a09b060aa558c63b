// /proc/irq: for each line that somebody has a directory with its affinity and its unclaimed interrupts (proc(5), Linux's
// Documentation/core-api/irq/irq-affinity.rst).

import Interrupts
import Machine
import Primitives

enum ProcIRQFiles {
    static func add(to tree: PseudoTree) {
        let fileSystem = tree.fileSystem
        let root = IRQRootDirectory(
            fileSystem, number: fileSystem.takeNumber(), parent: tree.root.number, tree: tree)
        tree.add("irq", inode: root)
        tree.add("irq/default_smp_affinity") { text, _ in
            addMask(CPUMask(first: CPUs.count), to: &text)
        }
    }

    /// The files of one line.
    fileprivate static func addLine(_ number: Int, to tree: PseudoTree) {
        func path(_ name: StaticString) -> [UInt8] { Text("irq/\(number)/\(name)").bytes }
        tree.add(path("smp_affinity"), 0o644) { bytes, _ throws(Errno) in
            try setAffinity(number, CPUMaskText.parse(bytes))
        } show: { text, _ in
            if let mask = IRQ.affinity(line: number) { addMask(mask, to: &text) }
        }
        tree.add(path("smp_affinity_list"), 0o644) { bytes, _ throws(Errno) in
            try setAffinity(number, CPUMaskText.parseList(bytes))
        } show: { text, _ in
            if let mask = IRQ.affinity(line: number) { CPUMaskText.addList(mask, to: &text) }
        }
        tree.add(path("effective_affinity")) { text, _ in
            addMask(IRQ.effectiveCPU(line: number).map { CPUMask($0) } ?? CPUMask(), to: &text)
        }
        tree.add(path("effective_affinity_list")) { text, _ in
            CPUMaskText.addList(
                IRQ.effectiveCPU(line: number).map { CPUMask($0) } ?? CPUMask(), to: &text)
        }
        tree.add(path("node")) { text, _ in text.add("0\n") }
        tree.add(path("spurious")) { text, _ in showSpurious(number, &text) }
    }

    private static func addMask(_ mask: CPUMask, to text: inout Text) { CPUMaskText.add(mask, to: &text) }

    private static func setAffinity(_ number: Int, _ mask: CPUMask) throws(Errno) {
        do throws(IRQError) {
            try IRQ.setAffinity(line: number, mask)
        } catch {
            switch error {
            case .cannotMove: throw .inputOutput
            case .noVector: throw .noSpace
            default: throw .invalid
            }
        }
    }

    private static func showSpurious(_ number: Int, _ text: inout Text) {
        guard let line = InterruptStatistics.line(number) else { return }
        let count = line.counts.reduce(0, &+)
        text.add("count \(count)\nunhandled \(line.unclaimed)\nlast_unhandled ")
        text.add("\(line.lastUnclaimed / 1_000_000) ms\n")
    }
}

/// /proc/irq: a line's directory is made when somebody looks for it for the first time.
private final class IRQRootDirectory: PseudoDirectory, @unchecked Sendable {
    private let tree: PseudoTree
    /// Lines that have a directory.
    private let known = SpinLock<[Int]>([])

    init(_ fileSystem: PseudoFileSystem, number: UInt64, parent: UInt64, tree: PseudoTree) {
        self.tree = tree
        super.init(fileSystem, number: number, parent: parent)
    }

    /// Makes the directories of lines that somebody has got since the last look.
    private func update() {
        for number in 0..<IRQ.count where InterruptStatistics.line(number) != nil {
            let isNew = known.withLock { known in
                if known.contains(number) { return false }
                known.append(number)
                return true
            }
            if isNew { ProcIRQFiles.addLine(number, to: tree) }
        }
    }

    override func lookup(_ name: Span<UInt8>, _ task: borrowing TaskContext) throws(Errno) -> Inode {
        update()
        return try super.lookup(name, task)
    }

    override func list(from position: Int, into buffer: inout DirectoryBuffer, _ task: borrowing TaskContext)
        throws(Errno) -> Int
    {
        update()
        return try super.list(from: position, into: &buffer, task)
    }
}
