import Testing

@testable import Linux

@Suite struct RawInputTests {
    @Test func bytesComeAsTheyAre() {
        let desk = TypingDesk(local: [], input: [])
        let all = (0...255).map { UInt8($0) }
        desk.type(all)
        #expect(desk.effects == [.readable])
        #expect(desk.discipline.readableCount == 256)
        #expect(desk.readBytes(100) == Array(all[0..<100]))
        #expect(desk.readBytes() == Array(all[100...]))
        #expect(desk.screen() == "")
    }

    @Test func echoInRawMode() {
        let desk = TypingDesk(local: [.echo, .echoControl], input: [])
        desk.type("a\u{7f}\r\n")
        #expect(desk.screenBytes() == Array("a^?^M^J".utf8))
    }

    @Test func minimum() {
        let desk = TypingDesk(local: []) { $0[.minimum] = 3 }
        desk.type("ab")
        #expect(desk.discipline.isReadable(minimum: 3) == false)
        #expect(desk.discipline.isPollReadable == false)
        desk.change { $0[.time] = 1 }
        #expect(desk.discipline.isPollReadable == true)
        desk.change { $0[.time] = 0 }
        desk.type("c")
        #expect(desk.discipline.isReadable(minimum: 3) == true)
        #expect(desk.discipline.isPollReadable == true)
        desk.change { $0[.minimum] = 0 }
        #expect(desk.read() == "abc")
        #expect(desk.discipline.isPollReadable == false)
    }

    @Test func nothingIsLostWhenNobodyReads() {
        let desk = TypingDesk(local: [], input: [])
        var offered: [UInt8] = []
        for index in 0..<10000 {
            let byte = UInt8(index & 0xff)
            if desk.discipline.receive(byte).contains(.full) { break }
            offered.append(byte)
        }
        #expect(offered.count == 4095)
        #expect(desk.readBytes() == offered)
    }

    @Test func throttling() {
        let desk = TypingDesk(local: [], input: [])
        desk.type([UInt8](repeating: 0, count: 3968))
        #expect(!desk.effects.contains(.throttle))
        desk.type([0])
        #expect(desk.effects.contains(.throttle))
        desk.discipline.isThrottled = true
        #expect(desk.discipline.canUnthrottle == false)
        _ = desk.readBytes(3841)
        #expect(desk.discipline.canUnthrottle == true)
    }

    /// The ring's positions run over the end of the storage many times.
    @Test func wrapping() {
        let desk = TypingDesk(local: [], input: [])
        for round in 0..<50 {
            let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &+ round) }
            desk.type(bytes)
            #expect(desk.readBytes() == bytes)
        }
        desk.change { $0.local.insert(.canonical) }
        for _ in 0..<50 {
            desk.type([UInt8](repeating: 121, count: 999) + [10])
            #expect(desk.readBytes()?.count == 1000)
        }
    }
}
