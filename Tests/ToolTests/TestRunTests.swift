// What the test stages make of files and consoles.
import Testing

@testable import Tool

@Suite struct TestFilterTests {
    @Test func aStageIsTakenWholeOrByItsParts() {
        #expect(TestFilter(nil).selection(of: ["a", "b"], in: "programs") == ["a", "b"])
        #expect(TestFilter("prog").selection(of: ["a", "b"], in: "programs") == ["a", "b"])
        #expect(TestFilter("programs/b").selection(of: ["a", "b"], in: "programs") == ["b"])
        #expect(TestFilter("b").selection(of: ["a", "b"], in: "stage") == ["b"])
        #expect(TestFilter("x").selection(of: ["a", "b"], in: "programs").isEmpty)
    }
}

@Suite struct XUnitResultsTests {
    @Test func passedFailedAndSkipped() {
        let text = """
            <testsuites>
              <testsuite name="TestResults" tests="3">
                <testcase classname="ToolTests.A" name="one()" time="0.1" />
                <testcase classname="ToolTests.A" name="two(a:)" time="0.1">
                  <failure message="Expectation failed: &quot;a&quot; &lt; b &amp; c" />
                </testcase>
                <testcase classname="ToolTests.A" name="three()" time="0.1">
                  <skipped />
                </testcase>
            """
        #expect(
            XUnitResults.cases(text) == [
                .passed("ToolTests.A.one()"),
                .failed("ToolTests.A.two(a:)", "Expectation failed: \"a\" < b & c"),
                TestCase(name: "ToolTests.A.three()", verdict: .skipped("disabled")),
            ])
    }
}

@Suite struct TestProgramTests {
    @Test func aSourceOfCIsBuiltTwice() throws {
        let programs = try TestProgram.programs(of: "pipe.c", text: "int main(void) {}\n")
        #expect(programs.map(\.name) == ["musl/pipe", "glibc/pipe"])
        #expect(programs[0].source == "Tests/Programs/pipe.c")
    }

    @Test func directives() throws {
        let text = "// apus: glibc-only\n// apus: args -x 3\n// apus: cflags -static-pie\n"
        let programs = try TestProgram.programs(of: "pipe.c", text: text)
        #expect(programs.map(\.name) == ["glibc/pipe"])
        #expect(programs[0].arguments == ["-x", "3"])
        #expect(programs[0].compiler.arguments.contains("-static-pie"))
        #expect(throws: ToolError.self) { try TestProgram.programs(of: "a.sh", text: "# apus: nonsense\n") }
    }

    @Test func otherFilesAreNoPrograms() throws {
        #expect(try TestProgram.programs(of: "tap.h", text: "").isEmpty)
    }
}

@Suite struct ProgramOutputTests {
    @Test func programsAreToldApart() {
        let output = ProgramOutput(
            console: """
                # program musl/a
                KTAP version 1
                1..1
                ok 1 works
                # exit 0 musl/a
                # program musl/b
                KTAP version 1
                1..1
                # b.c:1: broken
                not ok 1 fails
                # exit 1 musl/b
                # finished
                """)
        #expect(output.isComplete)
        #expect(output.unfinished == nil)
        #expect(output.results.map(\.program) == ["musl/a", "musl/b"])
        #expect(
            output.results.flatMap(\.cases) == [
                .passed("musl/a/works"), .failed("musl/b/fails", "b.c:1: broken"),
            ])
    }

    @Test func aStatusThatNoCaseExplainsIsAFailure() {
        let output = ProgramOutput(
            console:
                "# program sh/a\nKTAP version 1\n1..1\nok 1 a\n# exit 139 sh/a\n# program sh/b\n# exit 0 sh/b"
        )
        #expect(output.results[0].cases.map(\.isFailed) == [false, true])
        #expect(output.results[1].cases.map(\.isFailed) == [true])
        #expect(!output.isComplete)
    }

    @Test func theProgramThatTookTheKernelDownIsKnown() {
        let output = ProgramOutput(console: "# program sh/a\nKTAP version 1\napus: panic")
        #expect(output.unfinished == "sh/a")
        #expect(output.results.isEmpty)
    }
}

@Suite struct SuiteStageTests {
    private func outcome(_ status: GuestStatus, _ console: String, isTimedOut: Bool = false) -> [TestCase] {
        SuiteStage.cases(
            of: BootOutcome(status: status, console: console, isTimedOut: isTimedOut, seconds: 1))
    }

    @Test func aGoodRun() {
        #expect(outcome(.exited(0), "KTAP version 1\n1..1\nok 1 a") == [.passed("a"), .passed("ends")])
    }

    @Test func badEndings() {
        let good = "KTAP version 1\n1..1\nok 1 a"
        #expect(outcome(.panicked, good).last?.isFailed == true)
        #expect(outcome(.exited(1), good).last?.isFailed == true)
        #expect(outcome(.killed(9), good, isTimedOut: true).last?.isFailed == true)
        #expect(outcome(.exited(0), "hello").last?.isFailed == true)
    }

    @Test func aFailureInTheKernelIsToldOnce() {
        let cases = outcome(.exited(1), "KTAP version 1\n1..1\nnot ok 1 a")
        #expect(cases == [.failed("a", ""), .passed("ends")])
    }
}

@Suite struct ConsoleTextTests {
    @Test func waitingForWhatWasSaidAndWhatWillBe() async {
        let console = ConsoleText()
        await console.append(Array("hello wor".utf8))
        #expect(await console.wait(for: Array("hello".utf8), from: 0) == 5)
        async let later = console.wait(for: Array("world".utf8), from: 5)
        await console.append(Array("ld\r\n".utf8))
        #expect(await later == 11)
        #expect(await console.text == "hello world\n")
    }

    @Test func theEndEndsAllWaiting() async {
        let console = ConsoleText()
        async let never = console.wait(for: Array("x".utf8), from: 0)
        await console.end()
        #expect(await never == nil)
    }

    @Test func waitingCanBeCancelled() async {
        let console = ConsoleText()
        let waiter = Task { await console.wait(for: Array("x".utf8), from: 0) }
        waiter.cancel()
        #expect(await waiter.value == nil)
    }
}

@Suite struct BadInputTests {
    @Test func namesAreUnique() {
        let names = BadInput.all.map(\.name)
        #expect(Set(names).count == names.count)
    }

    @Test func liesDifferFromOneAnother() {
        let files = TinyElf.lies.map(\.bytes)
        #expect(Set(files).count == files.count)
    }
}
