// What is known to fail for now: `Tests/known-failures.txt`, a name or pattern and the reason on each line. Such a
// failure is shown and counted apart, and does not fail the run; a known failure that passes is pointed out.
import Foundation

struct KnownFailures: Sendable {
    struct Entry: Equatable, Sendable {
        /// `stage/case`; a `*` at the end stands for anything.
        var pattern: String
        var reason: String

        func matches(_ name: String) -> Bool {
            pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
        }
    }

    let entries: [Entry]

    /// Reads the list: `pattern  reason`, `#` begins a comment line.
    init(_ text: String) {
        entries = text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard let first = parts.first, !first.hasPrefix("#") else { return nil }
            let reason = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : "no reason given"
            return Entry(pattern: String(first), reason: reason)
        }
    }

    /// The project's list; empty if there is none.
    static func load() -> KnownFailures {
        let path = "Tests/known-failures.txt"
        return KnownFailures((try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
    }

    func reason(for name: String) -> String? { entries.first { $0.matches(name) }?.reason }
}
