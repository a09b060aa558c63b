// The unit tests that need no machine: `swift test`, its results read from the file that it leaves.
import Foundation

struct HostStage: TestStage {
    let name = "host"
    let summary = "unit tests on the simulated machine (swift test)"
    var needsApus: Bool { false }
    var bootsKernel: Bool { false }

    /// Where the results may be: SwiftPM adds to the name when it expects XCTest's as well.
    private static let results = ["build/log/host.xml", "build/log/host-swift-testing.xml"]
    private static let log = "build/log/host.log"

    /// A test is named only when it is compiled, so the one part is all that the filter selects.
    func parts() async throws -> [String] { [] }

    func run(_ parts: [String], in context: TestContext) async throws {
        for file in Self.results { try? FileManager.default.removeItem(atPath: file) }
        var arguments = ["test", "--disable-xctest", "--xunit-output", Self.results[0]]
        if let filter = Self.swiftFilter(context.filter.text) { arguments += ["--filter", filter] }
        var output = ""
        let status = try await HostProgram("swift", arguments).lines { line in
            output += line + "\n"
            Progress.transient("    host: \(line)")
        }
        try output.write(toFile: Self.log, atomically: true, encoding: .utf8)
        let cases = Self.results.compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }
            .flatMap(XUnitResults.cases)
        await context.report.record(cases)
        if cases.isEmpty || (!status.isSuccess && !cases.contains(where: \.isFailed)) {
            let tail = output.split(separator: "\n").suffix(40).joined(separator: "\n")
            let what = status.isSuccess ? "no test has such a name" : "swift test failed (\(status))"
            throw ToolError("\(what); the whole output is in \(Self.log)\n\(tail)")
        }
    }

    /// What `swift test --filter` is to get: nothing when the whole stage is selected.
    private static func swiftFilter(_ text: String?) -> String? {
        guard let text, !"host".contains(text) else { return nil }
        let name = text.hasPrefix("host/") ? String(text.dropFirst(5)) : text
        return NSRegularExpression.escapedPattern(for: name)
    }
}

/// Reads the results in the format of xUnit, as Swift Testing writes them: an element a line.
enum XUnitResults {
    static func cases(_ text: String) -> [TestCase] {
        var cases: [TestCase] = []
        for line in text.split(separator: "\n").map({ $0.drop { $0 == " " } }) {
            if line.hasPrefix("<testcase "), let name = attribute("name", of: line) {
                let suite = attribute("classname", of: line).map { $0 + "." } ?? ""
                cases.append(.passed(suite + name))
            } else if line.hasPrefix("<failure"), !cases.isEmpty {
                cases[cases.count - 1].verdict = .failed(attribute("message", of: line) ?? "")
            } else if line.hasPrefix("<skipped"), !cases.isEmpty {
                cases[cases.count - 1].verdict = .skipped(attribute("message", of: line) ?? "disabled")
            }
        }
        return cases
    }

    private static func attribute(_ name: String, of element: Substring) -> String? {
        guard let start = element.range(of: " \(name)=\""),
            let end = element[start.upperBound...].firstIndex(of: "\"")
        else { return nil }
        return String(element[start.upperBound..<end])
            .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
            .replacing("&apos;", with: "'").replacing("&#10;", with: "\n").replacing("&amp;", with: "&")
    }
}
