// Reading KTAP (the kernel's test format, which is TAP with nested tests) out of a console that
// other messages go to as well. Lines that are none of KTAP's are ignored, and so is a time stamp
// of the kernel log before one of its lines.
//
//     KTAP version 1
//     1..2
//       KTAP version 1
//       1..1
//       # memory.c:12: a diagnostic of the result that follows
//       not ok 1 frames
//     not ok 1 memory
//     ok 2 clock # SKIP no HPET
//
// A case is a result line without nested results: `memory/frames` and `clock` above. What does not
// add up (fewer results than planned, a group without its result) becomes a failed case.

import Foundation

/// Collects the cases of one KTAP stream, line by line.
struct TapParser {
    /// The results that stand at one depth of indentation.
    private struct Group {
        var indentation: Int
        var plan: Int?
        var results = 0
        var cases: [TestCase] = []
    }

    /// Whether a version line was seen.
    private(set) var hasBegun = false
    private var groups: [Group] = []
    private var diagnostics: [String] = []

    /// Takes one line of the console, without its end.
    mutating func take(_ rawLine: some StringProtocol) {
        let line = Self.withoutStamp(rawLine)
        let text = line.drop { $0 == " " }
        let indentation = line.count - text.count
        if text.hasPrefix("KTAP version") || text.hasPrefix("TAP version") {
            hasBegun = true
            open(indentation)
        } else if text.hasPrefix("1.."), let plan = Int(text.dropFirst(3).prefix(while: \.isNumber)) {
            open(indentation)
            groups[groups.count - 1].plan = plan
        } else if let result = Result(text) {
            take(result, at: indentation)
        } else if text.hasPrefix("# Subtest:") {
            diagnostics = []
        } else if text.hasPrefix("#") {
            diagnostics.append(String(text.dropFirst().drop { $0 == " " }))
        } else if text.hasPrefix("Bail out!") {
            take(Result(isOK: false, name: String(text), skipReason: nil), at: groups.first?.indentation ?? 0)
        }
    }

    /// The cases, once all lines were taken.
    consuming func finish() -> [TestCase] {
        var unfinished = self
        while unfinished.groups.count > 1 {
            let inner = unfinished.groups.removeLast()
            let cases = Self.closed(inner, name: "?") + [.failed("?", "the group has no result of its own")]
            unfinished.groups[unfinished.groups.count - 1].cases += cases
        }
        return unfinished.groups.first.map { Self.closed($0, name: "") } ?? []
    }

    private mutating func open(_ indentation: Int) {
        if let last = groups.last, last.indentation >= indentation { return }
        groups.append(Group(indentation: indentation))
    }

    private mutating func take(_ result: Result, at indentation: Int) {
        var nested: [TestCase] = []
        while let last = groups.last, last.indentation > indentation {
            nested = Self.closed(last, name: "") + nested
            groups.removeLast()
        }
        open(indentation)
        groups[groups.count - 1].results += 1
        groups[groups.count - 1].cases += cases(of: result, nested: nested)
        diagnostics = []
    }

    private func cases(of result: Result, nested: [TestCase]) -> [TestCase] {
        if nested.isEmpty { return [TestCase(name: result.name, verdict: verdict(of: result))] }
        let inner = nested.map { TestCase(name: "\(result.name)/\($0.name)", verdict: $0.verdict) }
        let isExplained = result.isOK || nested.contains(where: \.isFailed)
        return isExplained ? inner : inner + [TestCase(name: result.name, verdict: verdict(of: result))]
    }

    private func verdict(of result: Result) -> TestCase.Verdict {
        if let reason = result.skipReason { return .skipped(reason) }
        return result.isOK ? .passed : .failed(diagnostics.joined(separator: "\n"))
    }

    private static func closed(_ group: Group, name: String) -> [TestCase] {
        let cases = group.cases.map {
            name.isEmpty ? $0 : TestCase(name: "\(name)/\($0.name)", verdict: $0.verdict)
        }
        guard let plan = group.plan, plan != group.results else { return cases }
        return cases + [.failed("plan", "\(plan) tests were planned, \(group.results) reported")]
    }

    /// Without a carriage return at the end and a stamp such as `[    1.234567] ` at the start.
    private static func withoutStamp(_ line: some StringProtocol) -> Substring {
        var text = Substring(line)
        while text.last?.isNewline == true { text.removeLast() }
        guard text.first == "[", let end = text.firstIndex(of: "]") else { return text }
        let stamp = text[..<end].dropFirst()
        guard stamp.contains("."), stamp.allSatisfy({ $0.isNumber || $0 == "." || $0 == " " }) else {
            return text
        }
        let rest = text[text.index(after: end)...]
        return rest.first == " " ? rest.dropFirst() : rest
    }
}

extension TapParser {
    /// A line `ok 3 - name # SKIP reason`. An expected failure (`# TODO`) counts as skipped.
    struct Result: Equatable {
        var isOK: Bool
        var name: String
        var skipReason: String?

        init(isOK: Bool, name: String, skipReason: String?) {
            self.isOK = isOK
            self.name = name
            self.skipReason = skipReason
        }

        init?(_ text: Substring) {
            let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            isOK = words.first == "ok"
            guard isOK || text.hasPrefix("not ok") else { return nil }
            let rest = text.dropFirst(isOK ? 2 : 6)
            guard rest.first == " " else { return nil }
            let numbered = rest.drop { $0 == " " }
            let afterNumber = numbered.drop(while: \.isNumber)
            guard afterNumber.startIndex != numbered.startIndex else { return nil }
            var title = afterNumber.drop { $0 == " " }
            if title.hasPrefix("- ") { title = title.dropFirst(2) }
            let parts = title.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            name = Self.trimmed(parts.first ?? "")
            if name.isEmpty { name = "test \(numbered.prefix(while: \.isNumber))" }
            let directive = Self.trimmed(parts.count > 1 ? parts[1] : "")
            let kind = directive.prefix(4).uppercased()
            skipReason = kind == "SKIP" || kind == "TODO" ? Self.trimmed(directive.dropFirst(4)) : nil
        }

        private static func trimmed(_ text: some StringProtocol) -> String {
            text.trimmingCharacters(in: .whitespaces)
        }
    }
}
