// What a test run tells: a line for each stage as it begins and ends, each failure at once with its
// reason, and at the very end the counts alone on a line. It goes to standard output.
import Foundation

/// Counts and prints results. Stages run one after the other; cases of one may come from several
/// tasks.
actor TestReport {
    private(set) var passed = 0
    private(set) var failed = 0
    private(set) var skipped = 0
    private(set) var known = 0
    private let knownFailures: KnownFailures
    private var stage = ""
    private var stageCounts = (passed: 0, failed: 0, skipped: 0)
    private var stageStart = ContinuousClock.now
    private var failures: [String] = []
    private let start = ContinuousClock.now

    init(knownFailures: KnownFailures = KnownFailures("")) {
        self.knownFailures = knownFailures
    }

    /// Begins a stage.
    func begin(_ stage: String, _ summary: String) {
        self.stage = stage
        stageCounts = (0, 0, 0)
        stageStart = .now
        say("[\(Self.duration(start.duration(to: .now)))] \(stage): \(summary)")
    }

    /// Takes the result of a case of the current stage.
    func record(_ result: TestCase) {
        switch result.verdict {
        case .passed:
            passed += 1
            stageCounts.passed += 1
            if knownFailures.entries.contains(where: { $0.pattern == "\(stage)/\(result.name)" }) {
                say("    passes now, no longer a known failure: \(stage)/\(result.name)")
            }
        case .skipped(let reason):
            skipped += 1
            stageCounts.skipped += 1
            say("    skipped \(stage)/\(result.name): \(reason)")
        case .failed(let why):
            if let reason = knownFailures.reason(for: "\(stage)/\(result.name)") {
                known += 1
                return say("    known failure  \(stage)/\(result.name): \(reason)")
            }
            failed += 1
            stageCounts.failed += 1
            failures.append("\(stage)/\(result.name)")
            say("    FAILED  \(stage)/\(result.name)")
            for line in why.split(separator: "\n", omittingEmptySubsequences: false) {
                say("            \(line)")
            }
        }
        Progress.transient("    \(stage): \(stageCounts.passed) passed, \(result.name)")
    }

    func record(_ results: [TestCase]) {
        for result in results { record(result) }
    }

    /// Tells something about the current stage, as it happens.
    func note(_ text: String) {
        say("    \(text)")
    }

    /// Ends the current stage.
    func end() {
        let time = Self.duration(stageStart.duration(to: .now))
        say(
            "    \(stage): \(Self.counts(stageCounts.passed, stageCounts.failed, stageCounts.skipped)) in \(time)"
        )
    }

    /// Ends the run: the failures again, then the counts, alone on the last line.
    func finish() {
        if !failures.isEmpty {
            say("failed:")
            for name in failures { say("    \(name)") }
        }
        if skipped > 0 { say("\(skipped) skipped") }
        if known > 0 { say("\(known) known failures, see Tests/known-failures.txt") }
        say("took \(Self.duration(start.duration(to: .now)))")
        say("\(passed) passed, \(failed) failed")
    }

    private func say(_ line: String) {
        Progress.transient("")
        Progress.write(line + "\n", to: STDOUT_FILENO)
    }

    private static func counts(_ passed: Int, _ failed: Int, _ skipped: Int) -> String {
        "\(passed) passed, \(failed) failed" + (skipped > 0 ? ", \(skipped) skipped" : "")
    }

    /// Minutes and seconds, as 3:07.
    static func duration(_ duration: Duration) -> String {
        let seconds = Int(duration.components.seconds)
        return "\(seconds / 60):" + String(format: "%02d", seconds % 60)
    }
}
