// What the benches have in common: rows with what Linux needs and what Apus may need, the readings that a kernel or a
// program prints, and the table in which both end.
import Foundation

/// One line of a table.
struct BenchRow: Sendable {
    /// As it is printed on the console.
    var name: String
    var title: String
    /// Median of Linux 6.1 with mitigations off, recorded; nil where there is none.
    var linux: Int?
    /// What Apus may need at most.
    var limit: Int?
}

/// Minimum, median and 99th percentile.
struct BenchReading: Equatable, Sendable {
    var least: Int
    var median: Int
    var late: Int

    /// The readings on a console, by name: lines `bench: NAME MINIMUM MEDIAN PERCENTILE`.
    static func all(on console: String) -> [String: BenchReading] {
        var readings: [String: BenchReading] = [:]
        for line in console.split(separator: "\n") {
            guard let found = line.range(of: "bench: ") else { continue }
            let words = line[found.upperBound...].split(separator: " ")
            let numbers = words.dropFirst().compactMap { Int($0) }
            guard words.count == 4, numbers.count == 3 else { continue }
            readings[String(words[0])] = BenchReading(least: numbers[0], median: numbers[1], late: numbers[2])
        }
        return readings
    }
}

/// The table of a bench.
struct BenchTable: Sendable {
    let rows: [BenchRow]
    /// Whether a row over its limit is a failure.
    var checksLimits = true

    /// Prints all rows; says whether all are there and within their limits. `rival` are readings of another kernel, taken
    /// now; without them the recorded ones are shown.
    func show(_ readings: [String: BenchReading], rival: [String: BenchReading] = [:]) -> Bool {
        print(Self.line("operation", "min", "Apus", "99 %", "limit", "Linux", "Apus/Linux"))
        var isWithinLimits = true
        for row in rows {
            guard let reading = readings[row.name] else {
                print(Self.line(row.title, "", "missing", "", "", "", ""))
                isWithinLimits = false
                continue
            }
            isWithinLimits = show(row, reading, rival[row.name]) && isWithinLimits
        }
        print(isWithinLimits ? "all within their limits" : "some rows are over their limits (!)")
        return isWithinLimits
    }

    private func show(_ row: BenchRow, _ reading: BenchReading, _ rival: BenchReading?) -> Bool {
        let limit = checksLimits ? row.limit : nil
        let isWithin = limit.map { reading.median <= $0 } ?? true
        let linux = rival?.median ?? row.linux
        let percent = linux.map { String(format: "%.0f %%", 100 * Double(reading.median) / Double($0)) } ?? ""
        print(
            Self.line(
                row.title, "\(reading.least)", "\(reading.median)\(isWithin ? "" : "!")", "\(reading.late)",
                limit.map { "\($0)" } ?? "", linux.map { "\($0)\(rival == nil ? "r" : "")" } ?? "", percent))
        return isWithin
    }

    private static func line(_ cells: String...) -> String {
        let widths = [38, 8, 9, 8, 8, 9, 12]
        return zip(cells, widths).enumerated().map { index, cell in
            let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index == 0 ? cell.0 + padding : padding + cell.0
        }.joined()
    }
}

/// A program that measures, as init of a ramdisk of its own.
struct BenchProgram: Sendable {
    /// `Tests/Bench/NAME.c`.
    let name: String

    var ramdisk: String { "build/bench-\(name).cpio.gz" }

    func makeRamdisk() async throws {
        try Project.makeDirectory("build")
        let program = "build/bench-\(name)"
        _ = try await HostProgram(
            "musl-gcc", ["-static", "-O2", "-pthread", "-o", program, "Tests/Bench/\(name).c"]
        ).output()
        let tree = try FileTree(emptied: "build/bench-\(name).d")
        try tree.makeDirectory("dev")
        try tree.copy(program, to: "init")
        try await tree.pack(as: ramdisk)
    }
}

extension VirtualMachine {
    /// Boots this machine, counting instructions, until it ends, and returns what it measured.
    func measure(log name: String, timeLimit: Double = 300) async throws -> [String: BenchReading] {
        var machine = self
        machine.countsInstructions = true
        machine.console = .pipes
        let log = Project.log("bench-\(name)")
        let outcome = try await ConsoleSession.run(machine, timeLimit: timeLimit, log: log)
        let readings = BenchReading.all(on: outcome.console)
        guard !readings.isEmpty else {
            throw ToolError("nothing was measured on \(kernel) (\(outcome.status)):\n\(outcome.lastLines())")
        }
        return readings
    }
}
