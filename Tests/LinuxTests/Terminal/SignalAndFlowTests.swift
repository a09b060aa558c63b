import Testing

@testable import Linux

@Suite struct SignalAndFlowTests {
    @Test(arguments: [
        (3, LineDiscipline.Effects.interrupt, "^C"), (28, .quit, "^\\"), (26, .suspend, "^Z"),
    ])
    func signals(byte: UInt8, effect: LineDiscipline.Effects, shown: String) {
        let desk = TypingDesk()
        desk.type("lost")
        _ = desk.screen()
        desk.type([byte])
        #expect(desk.effects.intersection(.signals) == effect)
        #expect(desk.effects.contains(.flushOutput))
        #expect(desk.screen() == shown)
        desk.type("x\n")
        #expect(desk.read() == "x\n")
    }

    @Test func unreadLinesAreFlushed() {
        let desk = TypingDesk()
        desk.type("line\n\u{3}")
        #expect(desk.read() == nil)
    }

    @Test func noFlush() {
        let desk = TypingDesk()
        desk.change { $0.local.insert(.noFlush) }
        desk.type("ab\u{3}c\n")
        #expect(desk.effects.contains(.interrupt))
        #expect(!desk.effects.contains(.flushOutput))
        #expect(desk.screen() == "ab^Cc\r\n")
        #expect(desk.read() == "abc\n")
    }

    @Test func signalsSwitchedOff() {
        let desk = TypingDesk()
        desk.change { $0.local.remove(.signals) }
        desk.type("\u{3}\n")
        #expect(desk.effects.isDisjoint(with: .signals))
        #expect(desk.readBytes() == [3, 10])
        desk.change {
            $0.local.insert(.signals)
            $0[.interrupt] = 0
        }
        desk.type([0, 3, 10])
        #expect(desk.readBytes() == [0, 3, 10])
    }

    @Test func signalsInRawMode() {
        let desk = TypingDesk(local: [.signals])
        desk.type("a\u{3}b")
        #expect(desk.effects.contains(.interrupt))
        #expect(desk.read() == "b")
    }

    @Test func stopAndStart() {
        let desk = TypingDesk()
        desk.type("\u{13}")
        #expect(desk.effects.contains(.stopOutput))
        #expect(desk.discipline.isStopped == true)
        desk.type("a")
        #expect(desk.discipline.isStopped == true)
        desk.type("\u{11}")
        #expect(desk.effects.contains(.startOutput))
        #expect(desk.discipline.isStopped == false)
        desk.type("\n")
        #expect(desk.read() == "a\n")
    }

    @Test func anyRestarts() {
        let desk = TypingDesk(input: [.startStopOutput, .anyRestarts, .carriageReturnToNewline])
        desk.type("\u{13}\u{13}")
        #expect(desk.discipline.isStopped == true)
        desk.type("a\n")
        #expect(desk.discipline.isStopped == false)
        #expect(desk.read() == "a\n")
    }

    @Test func aSignalRestarts() {
        let desk = TypingDesk()
        desk.type("\u{13}\u{3}")
        #expect(desk.discipline.isStopped == false)
        #expect(desk.effects.contains(.startOutput))
    }

    @Test func switchingFlowControlOffRestarts() {
        let desk = TypingDesk()
        desk.type("\u{13}")
        desk.effects = []
        desk.change { $0.input.remove(.startStopOutput) }
        #expect(desk.effects.contains(.startOutput))
        desk.type("\u{13}\n")
        #expect(desk.readBytes() == [0x13, 10])
    }

    @Test func breaks() {
        let desk = TypingDesk(local: [], input: [])
        desk.effects.formUnion(desk.discipline.receive(0, .breakReceived))
        #expect(desk.readBytes() == [0])
        desk.change { $0.input = [.markParityErrors] }
        _ = desk.discipline.receive(0, .breakReceived)
        #expect(desk.readBytes() == [0xff, 0, 0])
        desk.change { $0.input = [.breakInterrupts] }
        desk.effects.formUnion(desk.discipline.receive(0, .breakReceived))
        #expect(desk.effects.contains(.interrupt))
        #expect(desk.readBytes() == nil)
        desk.change { $0.input = [.breakInterrupts, .ignoreBreak] }
        desk.effects = []
        desk.effects.formUnion(desk.discipline.receive(0, .breakReceived))
        #expect(desk.effects == [])
    }

    @Test func damagedBytes() {
        let desk = TypingDesk(local: [], input: [])
        _ = desk.discipline.receive(65, .parityError)
        #expect(desk.readBytes() == [65])
        desk.change { $0.input = [.checkParity] }
        _ = desk.discipline.receive(65, .framingError)
        #expect(desk.readBytes() == [0])
        desk.change { $0.input = [.checkParity, .markParityErrors] }
        _ = desk.discipline.receive(65, .parityError)
        desk.type([0xff])
        #expect(desk.readBytes() == [0xff, 0, 65, 0xff, 0xff])
        desk.change { $0.input = [.checkParity, .ignoreParityErrors] }
        _ = desk.discipline.receive(65, .parityError)
        #expect(desk.readBytes() == nil)
    }
}
