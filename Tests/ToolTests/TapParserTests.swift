// KTAP as the kernel and the test programs print it, and the ways in which it can be broken.
import Testing

@testable import Tool

@Suite struct TapParserTests {
    private func cases(_ text: String) -> [TestCase] {
        var parser = TapParser()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { parser.take(line) }
        return parser.finish()
    }

    @Test func plainResults() {
        let text = """
            KTAP version 1
            1..3
            ok 1 - first
            # why.c:3: expected 1
            # got 2
            not ok 2 second
            ok 3 third # SKIP no HPET
            """
        #expect(
            cases(text) == [
                .passed("first"), .failed("second", "why.c:3: expected 1\ngot 2"),
                TestCase(name: "third", verdict: .skipped("no HPET")),
            ])
    }

    @Test func nestedResultsAreTheCases() {
        let text = """
            KTAP version 1
            1..2
              KTAP version 1
              # Subtest: memory
              1..2
              not ok 1 frames
              ok 2 heap
            not ok 1 memory
            ok 2 clock
            """
        #expect(cases(text) == [.failed("memory/frames", ""), .passed("memory/heap"), .passed("clock")])
    }

    @Test func twoLevelsOfNesting() {
        let text = """
            KTAP version 1
            1..1
              KTAP version 1
              1..1
                KTAP version 1
                1..1
                ok 1 c
              ok 1 b
            ok 1 a
            """
        #expect(cases(text) == [.passed("a/b/c")])
    }

    @Test func otherLinesAndStampsAreIgnored() {
        let text = """
            apus: 4 CPUs online
            [    0.123456] KTAP version 1
            1..1\r
            [    0.2] apus: ok then
            ok it goes
            [    0.300000] ok 1 works\r
            """
        #expect(cases(text) == [.passed("works")])
    }

    @Test func missingResultsAreAFailure() {
        #expect(
            cases("KTAP version 1\n1..2\nok 1 a")
                == [.passed("a"), .failed("plan", "2 tests were planned, 1 reported")])
    }

    @Test func aGroupThatStopsIsAFailure() {
        let found = cases("KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 a")
        #expect(found.contains(.passed("?/a")))
        #expect(found.filter(\.isFailed).count == 3)
    }

    @Test func aGroupThatFailsByItselfIsAFailure() {
        #expect(
            cases("KTAP version 1\n1..1\n  1..1\n  ok 1 a\n# leaked\nnot ok 1 g")
                == [.passed("g/a"), .failed("g", "leaked")])
    }

    @Test func bailingOutIsAFailure() {
        #expect(cases("KTAP version 1\n1..1\nBail out! no memory").contains { $0.isFailed })
    }

    @Test func nothingAtAll() {
        var parser = TapParser()
        parser.take("hello")
        #expect(!parser.hasBegun)
        #expect(parser.finish().isEmpty)
    }
}
