import Primitives
import Testing

@Suite struct CommandLineTests {
    private func line(_ text: String) -> CommandLine { CommandLine(Array(text.utf8)) }
    private func text(_ bytes: ArraySlice<UInt8>?) -> String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func namesAndValues() {
        let command = line("  console=ttyS0,115200 quiet\tinit=/bin/sh x= \n")
        #expect(command.words.count == 4)
        #expect(text(command.value(of: "console")) == "ttyS0,115200")
        #expect(text(command.value(of: "quiet")) == "")
        #expect(text(command.value(of: "init")) == "/bin/sh")
        #expect(text(command.value(of: "x")) == "")
        #expect(command.value(of: "con") == nil)
        #expect(command.has("quiet") && !command.has("quie"))
    }

    @Test func lastOneWins() {
        #expect(text(line("a=1 a=2").value(of: "a")) == "2")
    }

    @Test func quotesKeepSpaces() {
        let command = line(#"name="a b" "c d=e f" ""#)
        #expect(text(command.value(of: "name")) == "a b")
        #expect(text(command.value(of: "c d")) == "e f")
        #expect(line(#"a="open b"#).words.count == 1)
    }

    @Test func initArguments() {
        let command = line("quiet -- -x one=1")
        #expect(command.words.count == 1)
        #expect(command.initArguments.map { String(decoding: $0, as: UTF8.self) } == ["-x", "one=1"])
    }

    @Test func numbers() throws {
        #expect(try line("maxcpus=12").number(of: "maxcpus") == 12)
        #expect(try line("").number(of: "maxcpus") == nil)
        #expect(try line("n=18446744073709551615").number(of: "n") == .max)
        for bad in ["n=", "n", "n=1x", "n=-1", "n=18446744073709551616", "n=99999999999999999999"] {
            #expect(throws: CommandLine.BadValue.self) { try line(bad).number(of: "n") }
        }
    }

    @Test func emptyAndOdd() {
        #expect(line("").words.isEmpty)
        #expect(line("=").words.count == 1)
        #expect(line("--").words.isEmpty)
        #expect(CommandLine([255, 0, 61, 255]).words.count == 1)
    }
}
