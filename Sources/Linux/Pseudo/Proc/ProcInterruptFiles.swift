// /proc/interrupts and /proc/softirqs: a column for each online CPU, in Linux's format.

import Deferred
import Interrupts
import Primitives

enum ProcInterruptFiles {
    static func add(to tree: PseudoTree) {
        tree.add("interrupts") { text, _ in showInterrupts(&text) }
        tree.add("softirqs") { text, _ in showSoftInterrupts(&text) }
    }

    private static func addHeader(_ text: inout Text, indent: Int) {
        text.pad(from: text.count, to: indent)
        CPUs.online.forEach { cpu in
            let start = text.count
            text.add("CPU\(cpu)")
            text.pad(from: start, to: 11)
        }
        text.add("\n")
    }

    private static func addLabel(_ label: Text, width: Int, _ text: inout Text) {
        for _ in 0..<max(width - label.count, 0) { text.add(byte: 32) }
        text.add("\(label): ")
    }

    // MARK: /proc/interrupts

    static func showInterrupts(_ text: inout Text) {
        let width = labelWidth
        addHeader(&text, indent: width + 8)
        for number in 0..<IRQ.count {
            if let line = InterruptStatistics.line(number) { add(line, width, &text) }
        }
        for local in InterruptStatistics.Local.allCases {
            addLabel("\(local.abbreviation)", width: width, &text)
            CPUs.online.forEach { text.add("\(padded: local.count(on: $0), to: 10) ") }
            text.add("  \(local.words)\n")
        }
        addLabel("ERR", width: width, &text)
        text.add("\(padded: InterruptStatistics.errors, to: 10)\n")
        addLabel("MIS", width: width, &text)
        text.add("\(padded: InterruptStatistics.unowned, to: 10)\n")
    }

    /// Three digits, or as many as the highest line number has.
    private static var labelWidth: Int {
        var width = 3
        var limit = 1000
        while limit <= IRQ.count {
            width += 1
            limit *= 10
        }
        return width
    }

    private static func add(_ line: InterruptStatistics.Line, _ width: Int, _ text: inout Text) {
        addLabel("\(line.number)", width: width, &text)
        CPUs.online.forEach { text.add("\(padded: line.counts[$0], to: 10) ") }
        text.add("  \(line.chip) \(padded: line.input, to: width)-")
        text.add(column: line.isLevel ? "fasteoi" : "edge", width: 8)
        for (index, name) in line.names.enumerated() { text.add(index == 0 ? "  \(name)" : ", \(name)") }
        text.add("\n")
    }

    // MARK: /proc/softirqs

    static func showSoftInterrupts(_ text: inout Text) {
        addHeader(&text, indent: 20)
        for vector in SoftInterrupt.allCases {
            let label: Text = "\(vector.name)"
            for _ in 0..<max(11 - label.count, 0) { text.add(byte: 32) }
            text.add("\(label):")
            CPUs.online.forEach { text.add(" \(padded: SoftInterrupts.count(vector, cpu: $0), to: 10)") }
            text.add("\n")
        }
    }

    // MARK: /proc/stat

    /// `intr`: the total, then each line's.
    static func addTotals(to text: inout Text) {
        var total: UInt64 = 0
        CPUs.online.forEach { total &+= InterruptStatistics.total(on: $0) }
        text.add("intr \(total)")
        for number in 0..<IRQ.count { text.add(" \(InterruptStatistics.total(line: number))") }
        text.add("\n")
    }
}
