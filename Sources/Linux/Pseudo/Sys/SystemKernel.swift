// /sys/kernel and /sys/power: the kernel itself, and its interrupt lines.

import Interrupts
import Primitives

enum SystemKernel {
    static func add(to tree: PseudoTree) {
        // No way to sleep but idling: an empty list.
        tree.add("power/state", 0o644, store: { _, _ throws(Errno) in throw .invalid }) { text, _ in
            text.add("\n")
        }
        tree.add("kernel/uevent_seqnum") { text, _ in text.add("0\n") }
        tree.add("kernel/kexec_loaded") { text, _ in text.add("0\n") }
        tree.add("kernel/fscaps") { text, _ in text.add("0\n") }
        for number in 0..<IRQ.count { addLine(number, to: tree) }
    }

    /// `kernel/irq/N`: each line that there is; what nobody has shows empty files.
    private static func addLine(_ number: Int, to tree: PseudoTree) {
        let directory = Text("kernel/irq/\(number)/").bytes
        func value(
            _ name: StaticString,
            _ show: @escaping @Sendable (InterruptStatistics.Line, inout Text) -> Void
        ) {
            tree.add(directory + Text("\(name)").bytes) { text, _ in
                if let line = InterruptStatistics.line(number) { show(line, &text) }
                text.add("\n")
            }
        }
        value("actions") { line, text in
            for (index, name) in line.names.enumerated() { text.add(index == 0 ? "\(name)" : ",\(name)") }
        }
        value("chip_name") { _, text in text.add("IO-APIC") }
        value("hwirq") { line, text in text.add("\(line.input)") }
        value("name") { line, text in text.add(line.isLevel ? "fasteoi" : "edge") }
        value("type") { line, text in text.add(line.isLevel ? "level" : "edge") }
        value("wakeup") { _, text in text.add("disabled") }
        value("per_cpu_count") { line, text in
            for cpu in 0..<line.counts.count {
                text.add(cpu == 0 ? "\(line.counts[cpu])" : ",\(line.counts[cpu])")
            }
        }
    }
}
