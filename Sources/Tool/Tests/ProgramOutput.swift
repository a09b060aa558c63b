// Reading the console of a boot that ran test programs.

/// What each program of one boot reported.
struct ProgramOutput {
    /// The cases of programs that ended, whatever their status, by name and in order.
    private(set) var results: [(program: String, cases: [TestCase])] = []
    /// The program that began and did not end.
    private(set) var unfinished: String?
    /// All programs were run.
    private(set) var isComplete = false

    private var parser = TapParser()
    private var lines: [Substring] = []

    init(console: String) {
        for line in console.split(separator: "\n", omittingEmptySubsequences: false) { take(line) }
    }

    private mutating func take(_ line: Substring) {
        if line.hasPrefix("# program ") {
            unfinished = String(line.dropFirst(10))
            parser = TapParser()
            lines = []
        } else if line.hasPrefix("# exit "), let program = unfinished {
            let words = line.split(separator: " ")
            let status = words.count > 2 ? Int(words[2]) : nil
            results.append((program, cases(of: program, status: status ?? -1)))
            unfinished = nil
        } else if line == "# finished" {
            isComplete = true
        } else if unfinished != nil {
            parser.take(line)
            lines.append(line)
        }
    }

    private func cases(of program: String, status: Int) -> [TestCase] {
        let cases = parser.finish()
        let named = cases.map { TestCase(name: "\(program)/\($0.name)", verdict: $0.verdict) }
        let said = lines.suffix(15).joined(separator: "\n")
        if !parser.hasBegun || cases.isEmpty {
            return named + [.failed(program, "reported no KTAP and ended with status \(status)\n\(said)")]
        }
        if status != 0 && !cases.contains(where: \.isFailed) {
            return named + [
                .failed("\(program)/status", "no case failed, but the status is \(status)\n\(said)")
            ]
        }
        return named
    }
}
