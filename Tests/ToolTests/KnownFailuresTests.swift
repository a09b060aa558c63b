import Testing

@testable import Tool

@Suite struct KnownFailuresTests {
    @Test func matchesNamesAndPatterns() {
        let known = KnownFailures(
            """
            # a comment
            programs/musl/one/case  not there yet
            boots/*  slow

            prompt/x
            """)
        #expect(known.reason(for: "programs/musl/one/case") == "not there yet")
        #expect(known.reason(for: "programs/musl/one/case2") == nil)
        #expect(known.reason(for: "boots/anything") == "slow")
        #expect(known.reason(for: "prompt/x") == "no reason given")
        #expect(known.entries.count == 3)
    }

    @Test func countsThemApart() async {
        let report = TestReport(knownFailures: KnownFailures("s/a broken"))
        await report.begin("s", "")
        await report.record([.failed("a", "why"), .failed("b", "why"), .passed("c")])
        #expect(await report.known == 1)
        #expect(await report.failed == 1)
        #expect(await report.passed == 1)
    }
}
