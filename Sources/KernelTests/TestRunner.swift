// Runs the suites and writes the report.

import Primitives

/// The report goes to the console without stamps, so that it is KTAP to the letter.
public enum TestReport {
    public static func line(_ message: LogMessage) { KernelLog.writeRaw(message) }
}

public enum TestRunner {
    /// Runs the suites whose names begin with `filter` (all of them if it is empty).
    /// - Returns: the number of suites with a failed case.
    public static func run(_ suites: [TestSuite], filter: ArraySlice<UInt8>, _ task: borrowing TaskContext)
        -> Int
    {
        let chosen = suites.filter { begins($0.name, with: filter) }
        TestReport.line("KTAP version 1")
        TestReport.line("1..\(chosen.count)")
        var failed = 0
        for index in chosen.indices {
            let ok = run(chosen[index], task)
            if !ok { failed += 1 }
            TestReport.line("\(ok ? "ok" : "not ok" as StaticString) \(index + 1) \(chosen[index].name)")
        }
        return failed
    }

    private static func run(_ suite: TestSuite, _ task: borrowing TaskContext) -> Bool {
        TestReport.line("    KTAP version 1")
        TestReport.line("    # Subtest: \(suite.name)")
        TestReport.line("    1..\(suite.cases.count)")
        var passed = true
        for index in suite.cases.indices {
            var checker = Checker()
            suite.cases[index].body(task, &checker)
            if checker.failures > 0 { passed = false }
            let verdict: StaticString = checker.failures == 0 ? "ok" : "not ok"
            if let why = checker.skipped {
                TestReport.line("    \(verdict) \(index + 1) \(suite.cases[index].name) # SKIP \(why)")
            } else {
                TestReport.line("    \(verdict) \(index + 1) \(suite.cases[index].name)")
            }
        }
        return passed
    }

    private static func begins(_ name: StaticString, with filter: ArraySlice<UInt8>) -> Bool {
        guard filter.count <= name.utf8CodeUnitCount else { return false }
        for offset in 0..<filter.count {
            // offset < utf8CodeUnitCount, checked above.
            guard unsafe filter[filter.startIndex + offset] == name.utf8Start[offset] else { return false }
        }
        return true
    }
}
