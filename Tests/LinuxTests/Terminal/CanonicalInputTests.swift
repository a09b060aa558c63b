import Testing

@testable import Linux

@Suite struct CanonicalInputTests {
    @Test func aLineIsReadWhole() {
        let desk = TypingDesk()
        desk.type("hello")
        #expect(desk.read() == nil)
        #expect(!desk.effects.contains(.readable))
        desk.type("\r")
        #expect(desk.effects.contains(.readable))
        #expect(desk.read() == "hello\n")
        #expect(desk.read() == nil)
        #expect(desk.screen() == "hello\r\n")
    }

    @Test func oneLineARead() {
        let desk = TypingDesk()
        desk.type("one\ntwo\nthr")
        #expect(desk.discipline.readableCount == 8)
        #expect(desk.read() == "one\n")
        #expect(desk.read() == "two\n")
        #expect(desk.read() == nil)
    }

    @Test func aShortReadLeavesTheRest() {
        let desk = TypingDesk()
        desk.type("abcdef\n")
        #expect(desk.read(3) == "abc")
        #expect(desk.read(3) == "def")
        #expect(desk.read(3) == "\n")
        #expect(desk.read(3) == nil)
    }

    @Test func endOfFile() {
        let desk = TypingDesk()
        desk.type("\u{4}")
        #expect(desk.read() == "")
        #expect(desk.read() == nil)
        desk.type("ab\u{4}")
        #expect(desk.discipline.readableCount == 2)
        #expect(desk.read() == "ab")
        #expect(desk.read() == nil)
        #expect(desk.screen() == "ab")
    }

    /// A read that a line fills to the last byte must not leave an end of file behind.
    @Test func endOfFileRightBehindAFullBuffer() {
        let desk = TypingDesk()
        desk.type("abc\u{4}")
        #expect(desk.read(3) == "abc")
        #expect(desk.read(3) == nil)
    }

    @Test func endOfLineCharacters() {
        let desk = TypingDesk { termios in
            termios[.endOfLine] = 59
            termios[.endOfLine2] = 33
        }
        desk.type("a;b!c")
        #expect(desk.read() == "a;")
        #expect(desk.read() == "b!")
        #expect(desk.read() == nil)
        #expect(desk.screen() == "a;b!c")
        desk.change { $0.local.remove(.extended) }
        desk.type("!")
        #expect(desk.read() == nil)
    }

    @Test func carriageReturns() {
        var desk = TypingDesk(input: [])
        desk.type("a\rb\n")
        #expect(desk.readBytes() == Array("a\rb\n".utf8))
        desk = TypingDesk(input: [.ignoreCarriageReturn])
        desk.type("a\rb\n")
        #expect(desk.readBytes() == Array("ab\n".utf8))
        desk = TypingDesk(input: [.newlineToCarriageReturn])
        desk.type("a\nb")
        #expect(desk.read() == nil)
        #expect(desk.screenBytes() == Array("a^Mb".utf8))
        desk = TypingDesk(input: [.newlineToCarriageReturn, .carriageReturnToNewline])
        desk.type("a\nb\r")
        #expect(desk.readBytes() == Array("a\rb\n".utf8))
    }

    @Test func stripAndLowercase() {
        let desk = TypingDesk(input: [.strip, .lowercase])
        desk.type([0xc1, 66, 0x8a])
        #expect(desk.read() == "ab\n")
        desk.change { $0.local.remove(.extended) }
        desk.type("AB\n")
        #expect(desk.read() == "AB\n")
    }

    @Test func literalNext() {
        let desk = TypingDesk()
        desk.type("a\u{16}\u{3}\u{16}\u{7f}\u{16}\nb\n")
        #expect(desk.readBytes() == [97, 3, 127, 10, 98, 10])
        #expect(!desk.effects.contains(.interrupt))
        #expect(desk.screenBytes() == Array("a^\u{8}^C^\u{8}^?^\u{8}^Jb\r\n".utf8))
        desk.change { $0.local.remove(.extended) }
        desk.type("\u{16}\n")
        #expect(desk.readBytes() == [0x16, 10])
    }

    @Test func aLineHas4096BytesAtMost() {
        let desk = TypingDesk()
        desk.type([UInt8](repeating: 120, count: 5000))
        #expect(desk.refused == 0)
        #expect(desk.read() == nil)
        desk.type("\n")
        let line = desk.readBytes()!
        #expect(line.count == 4096)
        #expect(line.last == 10)
        #expect(line.dropLast().allSatisfy { $0 == 120 })
        desk.type("ok\n")
        #expect(desk.read() == "ok\n")
    }

    @Test func theEndOfAnOverlongLineCanBeErased() {
        let desk = TypingDesk()
        desk.type([UInt8](repeating: 120, count: 5000))
        desk.type("\u{7f}\u{7f}yz\n")
        let line = desk.readBytes()!
        #expect(line.count == 4096)
        #expect(line.suffix(3) == [121, 122, 10])
    }

    @Test func fullOfUnreadLinesTakesNoMore() {
        let desk = TypingDesk()
        for _ in 0..<4096 { desk.type("\n") }
        #expect(desk.refused > 0)
        #expect(desk.refused < 4)
        #expect(desk.effects.contains(.throttle))
        var lines = 0
        while desk.read() != nil { lines += 1 }
        #expect(lines == 4096 - desk.refused)
        desk.refused = 0
        desk.type("a\n")
        #expect(desk.refused == 0)
    }

    @Test func theBellRingsWhenTheLineIsFull() {
        let desk = TypingDesk(input: [.bellWhenFull])
        desk.type([UInt8](repeating: 120, count: 4095))
        _ = desk.screen()
        desk.type("y")
        #expect(desk.screen() == "y\u{7}")
        desk.change { $0.input = [] }
        desk.type("y")
        #expect(desk.screen() == "y")
    }

    @Test func switchingModes() {
        let desk = TypingDesk()
        desk.type("abc")
        #expect(desk.read() == nil)
        desk.change { $0.local.remove(.canonical) }
        #expect(desk.effects.contains(.readable))
        #expect(desk.read(1) == "a")
        desk.change { $0.local.insert(.canonical) }
        #expect(desk.read() == "bc")
        desk.type("\u{7f}d\n")
        #expect(desk.read() == "d\n")
    }

    @Test func externalProcessingLeavesAllToTheOtherEnd() {
        let desk = TypingDesk()
        desk.change { $0.local = [.externalProcessing, .echo, .signals] }
        desk.type("a\u{3}")
        #expect(desk.readBytes() == [97, 3])
        #expect(desk.screen() == "")
        #expect(!desk.effects.contains(.interrupt))
    }
}
