// One thing that was tried, and what came of it.

/// The result of one test case, of whatever kind.
struct TestCase: Equatable, Sendable {
    enum Verdict: Equatable, Sendable {
        case passed
        /// With what a reader needs to see why.
        case failed(String)
        case skipped(String)
    }

    /// Unique in its stage; parts are joined by `/`.
    var name: String
    var verdict: Verdict

    var isFailed: Bool {
        if case .failed = verdict { true } else { false }
    }

    static func passed(_ name: String) -> TestCase { TestCase(name: name, verdict: .passed) }
    static func failed(_ name: String, _ why: String) -> TestCase {
        TestCase(name: name, verdict: .failed(why))
    }
}
