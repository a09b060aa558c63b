import Testing

@testable import Linux

@Suite struct OutputProcessingTests {
    @Test func newlines() {
        var desk = TypingDesk()
        #expect(desk.write("a\nb").utf8.elementsEqual("a\r\nb".utf8))
        desk = TypingDesk(output: [.process])
        #expect(desk.write("a\nb") == "a\nb")
        #expect(desk.discipline.column == 2)
        desk = TypingDesk(output: [.process, .newlineReturns])
        #expect(desk.write("a\nb") == "a\nb")
        #expect(desk.discipline.column == 1)
        desk = TypingDesk(output: [.newlineToCarriageReturnNewline])
        #expect(desk.write("a\nb") == "a\nb")
    }

    @Test func carriageReturns() {
        var desk = TypingDesk(output: [.process, .carriageReturnToNewline])
        #expect(desk.write("a\rb") == "a\nb")
        desk = TypingDesk(output: [.process, .noCarriageReturnAtColumn0])
        #expect(desk.write("\ra\r\rb").utf8.elementsEqual("a\rb".utf8))
    }

    @Test func tabs() {
        var desk = TypingDesk(output: [.process, .tabsToSpaces])
        #expect(desk.write("ab\tc") == "ab      c")
        #expect(desk.write("\t") == "       ")
        #expect(desk.write("\t") == "        ")
        desk = TypingDesk()
        #expect(desk.write("ab\tc") == "ab\tc")
        #expect(desk.discipline.column == 9)
    }

    @Test func backspaceAndControl() {
        let desk = TypingDesk()
        #expect(desk.write("\u{8}ab\u{8}\u{1b}") == "\u{8}ab\u{8}\u{1b}")
        #expect(desk.discipline.column == 1)
    }

    @Test func uppercase() {
        let desk = TypingDesk(output: [.process, .uppercase])
        #expect(desk.write("aBz{") == "ABZ{")
    }

    @Test func utf8TakesOneColumnACharacter() {
        let desk = TypingDesk(input: [.utf8], output: [.process, .tabsToSpaces])
        #expect(desk.write("é€\t") == "é€      ")
    }

    @Test func echoAndWritesShareTheColumn() {
        let desk = TypingDesk(output: [.process, .tabsToSpaces])
        #expect(desk.write("abc") == "abc")
        desk.type("d\t")
        #expect(desk.screen() == "d    ")
    }
}
