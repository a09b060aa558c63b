import Testing

@testable import Linux

@Suite struct EraseTests {
    static let back = "\u{8} \u{8}"

    @Test func eraseOneCharacter() {
        let desk = TypingDesk()
        desk.type("ab\u{7f}c\n")
        #expect(desk.read() == "ac\n")
        #expect(desk.screen() == "ab\(Self.back)c\r\n")
    }

    @Test func nothingToErase() {
        let desk = TypingDesk()
        desk.type("\u{7f}\u{15}\u{17}")
        #expect(desk.screen() == "")
        desk.type("one\n\u{7f}two\n")
        #expect(desk.read() == "one\n")
        #expect(desk.read() == "two\n")
    }

    @Test func aControlCharacterTakesTwoColumns() {
        let desk = TypingDesk()
        desk.type("a\u{1}\u{7f}")
        #expect(desk.screen() == "a^A\(Self.back)\(Self.back)")
        desk.change { $0.local.remove(.echoControl) }
        desk.type("\u{1}\u{7f}")
        #expect(desk.screen() == "\u{1}")
    }

    @Test func withoutEchoEraseTheCharacterItselfShows() {
        let desk = TypingDesk()
        desk.change { $0.local.remove(.echoErase) }
        desk.type("ab\u{7f}")
        #expect(desk.screen() == "ab^?")
        desk.type("\n")
        #expect(desk.read() == "a\n")
    }

    @Test func withoutEchoNothingShows() {
        let desk = TypingDesk()
        desk.change { $0.local.remove(.echo) }
        desk.type("ab\u{7f}c\u{15}d\u{17}e\n")
        #expect(desk.screen() == "")
        #expect(desk.read() == "e\n")
        desk.change { $0.local.insert(.echoNewline) }
        desk.type("x\n")
        #expect(desk.screen() == "\r\n")
    }

    @Test func utf8IsErasedByCharacter() {
        let desk = TypingDesk()
        desk.change { $0.input.insert(.utf8) }
        desk.type("aé€😀\u{7f}")
        #expect(desk.screen() == "aé€😀\(Self.back)")
        desk.type("\u{7f}\u{7f}")
        #expect(desk.screen() == "\(Self.back)\(Self.back)")
        desk.type("\n")
        #expect(desk.read() == "a\n")
    }

    @Test func withoutUTF8ByByte() {
        let desk = TypingDesk()
        desk.type("aé\u{7f}\n")
        #expect(desk.readBytes() == [97, 0xc3, 10])
    }

    @Test func halfACharacterIsLeftAlone() {
        let desk = TypingDesk()
        desk.change { $0.input.insert(.utf8) }
        desk.type([0x80, 0x80, 0x7f, 10])
        #expect(desk.readBytes() == [0x80, 0x80, 10])
    }

    @Test func eraseAWord() {
        let desk = TypingDesk()
        desk.type("one two_2  \u{17}")
        #expect(desk.screen() == "one two_2  " + String(repeating: Self.back, count: 7))
        desk.type("\u{17}x\n")
        #expect(desk.read() == "x\n")
        desk.change { $0.local.remove(.extended) }
        desk.type("a\u{17}\n")
        #expect(desk.readBytes() == [97, 0x17, 10])
    }

    @Test func killTheLine() {
        let desk = TypingDesk()
        desk.type("abc\u{15}")
        #expect(desk.screen() == "abc" + String(repeating: Self.back, count: 3))
        desk.type("d\n")
        #expect(desk.read() == "d\n")
    }

    @Test func killWithoutEchoKillErase() {
        let desk = TypingDesk()
        desk.change { $0.local.remove(.echoKillErase) }
        desk.type("abc\u{15}")
        #expect(desk.screen() == "abc^U\r\n")
        desk.change { $0.local.remove(.echoKill) }
        desk.type("abc\u{15}")
        #expect(desk.screen() == "abc^U")
        desk.type("\n")
        #expect(desk.read() == "\n")
    }

    @Test func tabsAreErasedByTheirWidth() {
        let desk = TypingDesk()
        desk.type("ab\t\u{7f}")
        #expect(desk.screen() == "ab\t" + String(repeating: "\u{8}", count: 6))
        desk.type("\t\t\u{7f}")
        #expect(desk.screen() == "\t\t" + String(repeating: "\u{8}", count: 8))
    }

    @Test func tabsAfterAPrompt() {
        let desk = TypingDesk()
        #expect(desk.write("$ ") == "$ ")
        desk.type("a\t\u{7f}")
        #expect(desk.screen() == "a\t" + String(repeating: "\u{8}", count: 5))
        #expect(desk.discipline.column == 3)
    }

    @Test func tabsAfterControlCharacters() {
        let desk = TypingDesk()
        desk.type("\u{1}\t\u{7f}")
        #expect(desk.screen() == "^A\t" + String(repeating: "\u{8}", count: 6))
    }

    @Test func erasingOnPaper() {
        let desk = TypingDesk()
        desk.change { $0.local.insert(.echoPrint) }
        desk.type("abc\u{7f}\u{7f}d\n")
        #expect(desk.screen() == "abc\\cb/d\r\n")
        #expect(desk.read() == "ad\n")
        desk.type("x\u{7f}")
        #expect(desk.screen() == "x\\x/")
    }

    @Test func reprint() {
        let desk = TypingDesk()
        desk.type("ab\u{1}\u{12}c\n")
        #expect(desk.screen() == "ab^A^R\r\nab^Ac\r\n")
        #expect(desk.readBytes() == [97, 98, 1, 99, 10])
    }

    @Test func changedCharacters() {
        var desk = TypingDesk { $0[.erase] = 8 }
        desk.type("ab\u{8}\u{7f}\n")
        #expect(desk.readBytes() == [97, 127, 10])
        desk = TypingDesk { $0[.erase] = 0 }
        desk.type([97, 0, 10])
        #expect(desk.readBytes() == [97, 0, 10])
    }
}
