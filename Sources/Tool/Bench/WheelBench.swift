// Instructions per operation of the library `TimerWheel`, on the host, counted by valgrind's callgrind: the same figures
// whatever else the host does.
//
// `Tests/WheelCount` has each operation in a loop in a function of its own; callgrind counts what happens in these.
import Foundation

/// The measurement of the library.
struct WheelBench {
    /// How many timers are pending meanwhile.
    let pending: [Int]

    private static let program = ".build-count/release/wheel-count"
    private static let distributions = ["hour", "near", "magnitudes", "uniform64", "timeouts", "coarse"]
    /// In the order of the table, with what each may need at most.
    private static let operations = [
        ("Add", 50.0), ("Rearm", 65.0), ("Cancel", 28.0), ("Expire", 220.0), ("Empty", 15.0),
    ]

    /// Measures, prints a table, and says whether each figure is within its limit.
    func run() async throws -> Bool {
        Progress.step("building wheel-count")
        _ = try await HostProgram(
            "swift", ["build", "-c", "release", "--scratch-path", ".build-count", "--product", "wheel-count"]
        ).output()
        try Project.makeDirectory("build")
        print("instructions per operation, the loop around it included")
        print(Self.line(["distances", "face", "pending"] + Self.operations.map { "\($0.0) ≤ \(Int($0.1))" }))
        var isWithinLimits = true
        for distribution in Self.distributions {
            for count in pending {
                for face in ["safe", "intrusive"] {
                    let figures = try await measure(face, distribution, count)
                    let cells = Self.operations.map { name, limit -> String in
                        guard let figure = figures[name] else { return "missing!" }
                        return String(format: "%.1f", figure) + (figure > limit ? "!" : "")
                    }
                    print(Self.line([distribution, face, "\(count)"] + cells))
                    isWithinLimits = isWithinLimits && !cells.contains { $0.hasSuffix("!") }
                }
            }
        }
        print(isWithinLimits ? "all within their limits" : "some are over their limits (!)")
        return isWithinLimits
    }

    private func measure(_ face: String, _ distribution: String, _ count: Int) async throws -> [String:
        Double]
    {
        let file = "build/wheel-count.callgrind"
        let output = try await HostProgram(
            "valgrind",
            [
                "--tool=callgrind", "--callgrind-out-file=\(file)", "--toggle-collect=*measured*", "-q",
                Self.program, face, distribution, "\(count)",
            ]
        ).output()
        let profile = try await HostProgram(
            "callgrind_annotate", ["--inclusive=yes", "--threshold=100", file]
        ).output()
        return Self.figures(counts: output, profile: profile)
    }

    /// Instructions each, from the program's own count (`count: measuredAdd 10000`) and callgrind's sums.
    static func figures(counts: String, profile: String) -> [String: Double] {
        var figures: [String: Double] = [:]
        for line in counts.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == "count:", let times = Double(words[2]), times > 0 else {
                continue
            }
            let sums = profile.split(separator: "\n").filter { $0.contains(words[1]) }.compactMap {
                $0.split(separator: " ").first.flatMap { Double($0.replacing(",", with: "")) }
            }
            if let sum = sums.max() { figures[String(words[1].dropFirst("measured".count))] = sum / times }
        }
        return figures
    }

    private static func line(_ cells: [String]) -> String {
        let widths = [12, 10, 9, 10, 11, 12, 14, 12]
        return zip(cells, widths).enumerated().map { index, cell in
            let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index < 2 ? cell.0 + padding : padding + cell.0
        }.joined()
    }
}
