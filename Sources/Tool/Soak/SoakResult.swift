// What a soak showed, and for that of the devices the comparison of both ends.
import Foundation

/// What a soak showed, and what is wrong with it.
struct SoakResult: Sendable {
    let complaints: [String]
    /// Lines for people to read.
    let table: [String]

    /// What the guest says of one line.
    private struct Line {
        var count = 0
        var unclaimed = 0
    }

    init(complaints: [String], table: [String]) {
        self.complaints = complaints
        self.table = table
    }

    init(outcome: BootOutcome, sent: SoakSent) {
        let report = SoakReport(outcome.console)
        var complaints: [String] = []
        var table: [String] = []
        func equal(_ what: String, _ host: Int, _ guest: Int, _ ends: String) {
            table.append("\(what): \(host) \(ends) \(guest)")
            if host != guest { complaints.append("\(what): \(host) \(ends) \(guest)") }
        }
        func none(_ what: String, _ count: Int) {
            if count != 0 { complaints.append("\(what): \(count)") }
        }
        if outcome.isTimedOut { complaints.append("hung") }
        if !outcome.isTimedOut, outcome.status != .exited(0) { complaints.append("\(outcome.status)") }
        equal("key events", sent.keys, report.value("keys"), "sent, read")
        none("wrong keys", report.second("keys"))
        equal("keyboard interrupts", sent.rises(1), report.claimed("1"), "raised, handled")
        equal("keyboard bytes", sent.keys, report.claimed("1"), "sent, handled")
        equal("movements", sent.moves, report.value("moves"), "sent, read")
        none("wrong movements", report.second("moves"))
        equal("mouse interrupts", sent.rises(12), report.claimed("12"), "raised, handled")
        equal("serial bytes", sent.bytes, report.value("serial"), "sent and returned, read")
        equal("disk requests", sent.readsAfter - sent.readsBefore, report.value("disk") >> 16, "done, read")
        // A request may be seen to be done before its interrupt; two messages that wait at a CPU are one.
        if report.claimed("virtio-blk") > sent.readsAfter - sent.readsBefore {
            complaints.append("disk: \(report.claimed("virtio-blk")) interrupts, more than requests")
        }
        none("wrong words of the disk", report.second("disk"))
        let flags = report.value("last-clock") - report.value("first-clock")
        equal("clock interrupts", sent.rises(8), flags, "raised, flags found")
        equal("clock interrupts", flags, report.claimed("8"), "flags found, handled")
        equal("clock periods", flags, report.value("clock"), "flags found, read")
        for cpu in 0..<4 {
            none("early timers of CPU \(cpu)", report.second("timer\(cpu)"))
            if report.value("timer\(cpu)") == 0 { complaints.append("no timer on CPU \(cpu) fired") }
        }
        table += report.notes(serialRises: sent.rises(3))
        if !complaints.isEmpty { complaints.append("the console's last lines:\n" + outcome.lastLines(40)) }
        self.complaints = complaints
        self.table = table
    }
}

/// What the guest's program printed, by the word behind "soak: ".
private struct SoakReport {
    private var values: [String: [String]] = [:]
    private var lines: [String: [String: [Int]]] = [:]

    init(_ console: String) {
        for line in console.split(separator: "\n") where line.hasPrefix("soak: ") {
            let words = line.split(separator: " ").map(String.init)
            if words.count >= 6, words[2] == "line", let sum = Int(words[4]), let unclaimed = Int(words[5]) {
                // By number, and by the name of the last handler.
                for key in [words[3], words.last ?? ""] {
                    lines[words[1], default: [:]][key] = [sum, unclaimed]
                }
            } else if words.count >= 3 {
                values[words[1]] = Array(words[2...])
            }
        }
    }

    func value(_ name: String) -> Int { values[name]?.first.flatMap { Int($0) } ?? -1 }
    func second(_ name: String) -> Int {
        guard let words = values[name], words.count > 1 else { return -1 }
        return Int(words[1]) ?? -1
    }

    private func change(_ name: String) -> (count: Int, unclaimed: Int) {
        let (first, last) = (lines["first"]?[name] ?? [0, 0], lines["last"]?[name] ?? [0, 0])
        return (last[0] - first[0], last[1] - first[1])
    }

    /// Interrupts of a line during the soak that a device stood behind.
    func claimed(_ name: String) -> Int { change(name).count - change(name).unclaimed }

    /// What is worth knowing and proves nothing.
    func notes(serialRises: Int) -> [String] {
        let seconds = values["seconds"]?.first.flatMap { Double($0) } ?? 0
        let periods = Int(seconds * 8192)
        let percent = periods > 0 ? 100 * value("clock") / periods : 0
        var notes = [
            "seconds: \(seconds); periods of 8192 Hz in that time: \(periods), of which the clock raised \(percent) %",
            "serial line: \(serialRises) rises, \(change("3").count) interrupts; disk: \(value("disk") >> 20) MiB, "
                + "\(claimed("virtio-blk")) interrupts",
            "unclaimed: "
                + ["1", "3", "8", "12"].map { "line \($0) \(change($0).unclaimed)" }.joined(separator: ", "),
            "timer interrupts: \(change("LOC").count)",
        ]
        for cpu in 0..<4 {
            let words = values["timer\(cpu)"] ?? []
            notes.append(
                "CPU \(cpu): \(words.first ?? "?") sleeps of 1 ms, the longest \(words.last ?? "?") s")
        }
        return notes
    }
}
