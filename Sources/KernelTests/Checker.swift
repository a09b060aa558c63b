// In-kernel tests: suites of cases that run in task context at boot (`apus.test`), reported in KTAP
// version 1 (Documentation/dev-tools/ktap.rst) on the console.

import Primitives

/// What a case checks with. A failed check says where and what; the case goes on.
public struct Checker: ~Copyable {
    public private(set) var failures = 0
    var skipped: StaticString?

    /// Checks that `condition` holds.
    public mutating func expect(
        _ condition: Bool, _ what: LogMessage, file: StaticString = #fileID, line: UInt = #line
    ) {
        if condition { return }
        failures += 1
        TestReport.line("        # \(file):\(line): \(what)")
    }

    /// Checks that `got` equals `wanted`.
    public mutating func expect<T: BinaryInteger>(
        _ got: T, equals wanted: T, _ what: LogMessage, file: StaticString = #fileID, line: UInt = #line
    ) {
        if got == wanted { return }
        failures += 1
        TestReport.line("        # \(file):\(line): \(what): got \(got), expected \(wanted)")
    }

    /// Ends the case as skipped: what it tests is not there on this machine.
    public mutating func skip(_ why: StaticString) { skipped = why }
}

public struct TestCase: Sendable {
    let name: StaticString
    let body: @Sendable (borrowing TaskContext, inout Checker) -> Void

    public init(
        _ name: StaticString, _ body: @escaping @Sendable (borrowing TaskContext, inout Checker) -> Void
    ) {
        self.name = name
        self.body = body
    }
}

public struct TestSuite: Sendable {
    let name: StaticString
    let cases: [TestCase]

    public init(_ name: StaticString, _ cases: [TestCase]) {
        self.name = name
        self.cases = cases
    }
}
