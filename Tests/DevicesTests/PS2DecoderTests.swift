import Testing

@testable import Devices

struct KeyboardDecoderTests {
    private func decode(_ bytes: [UInt8]) -> [KeyboardDecoder.Key] {
        var decoder = KeyboardDecoder()
        return bytes.compactMap { decoder.take($0) }
    }

    private func codes(_ bytes: [UInt8]) -> [Int] {
        decode(bytes).map { $0.isDown ? Int($0.code) : -Int($0.code) }
    }

    @Test func plainKeys() {
        #expect(codes([0x1e, 0x9e]) == [30, -30])
        #expect(codes([0x57, 0xd7, 0x58, 0xd8]) == [87, -87, 88, -88])
        // 0xaa is the end of left shift, not an answer of the keyboard.
        #expect(codes([0x2a, 0xaa]) == [42, -42])
    }

    @Test func extendedKeys() {
        #expect(codes([0xe0, 0x48, 0xe0, 0xc8]) == [103, -103])
        #expect(codes([0xe0, 0x53]) == [111])
        #expect(codes([0xe0, 0x1d, 0xe0, 0x9d]) == [97, -97])
        #expect(decode([0xe0, 0x48]).map(\.scanCode) == [0xc8])
    }

    @Test func madeUpShiftsAreLeftOut() {
        #expect(codes([0xe0, 0x2a, 0xe0, 0x47, 0xe0, 0xc7, 0xe0, 0xaa]) == [102, -102])
    }

    @Test func pauseHasSixBytes() {
        #expect(codes([0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x1e]) == [119, -119, 30])
    }

    @Test func errorsAreCounted() {
        var decoder = KeyboardDecoder()
        #expect(decoder.take(0) == nil)
        #expect(decoder.take(0xff) == nil)
        #expect(decoder.errors == 2)
        #expect(decoder.take(0x1e)?.code == 30)
    }

    @Test func anyBytesAreSurvived() {
        var decoder = KeyboardDecoder()
        var state: UInt32 = 1
        var worst: UInt16 = 0
        for _ in 0..<100_000 {
            state = state &* 1_664_525 &+ 1_013_904_223
            let key = decoder.take(UInt8(truncatingIfNeeded: state >> 24))
            worst = max(worst, key?.code ?? 0)
        }
        #expect(worst > 0 && worst < CodeSet.capacity)
    }
}

struct MouseDecoderTests {
    private func decode(_ model: MouseDecoder.Model, _ bytes: [UInt8]) -> [MouseDecoder.Movement] {
        var decoder = MouseDecoder()
        decoder.model = model
        return bytes.compactMap { decoder.take($0, at: 1) }
    }

    private func move(_ x: Int32, _ y: Int32, _ wheel: Int32 = 0, _ buttons: UInt8 = 0)
        -> MouseDecoder.Movement
    { MouseDecoder.Movement(x: x, y: y, wheel: wheel, buttons: buttons) }

    @Test func signs() {
        #expect(decode(.plain, [0x08, 10, 20]) == [move(10, -20)])
        #expect(decode(.plain, [0x18, 0xf6, 20]) == [move(-10, -20)])
        #expect(decode(.plain, [0x28, 0, 0xec]) == [move(0, 20)])
        #expect(decode(.plain, [0x3f, 0, 0]) == [move(-256, 256, 0, 7)])
    }

    @Test func wheels() {
        #expect(decode(.wheel, [0x08, 0, 0, 1, 0x08, 0, 0, 0xff]) == [move(0, 0, -1), move(0, 0, 1)])
        #expect(decode(.explorer, [0x08, 0, 0, 0x0f]) == [move(0, 0, 1)])
        #expect(decode(.explorer, [0x08, 0, 0, 0x30]) == [move(0, 0, 0, 0x18)])
    }

    @Test func findsTheBeginningOfAPacket() {
        var decoder = MouseDecoder()
        #expect(decoder.take(0x07, at: 1) == nil)
        #expect(decoder.errors == 1)
        #expect(decoder.take(0x08, at: 2) == nil)
        #expect(decoder.take(1, at: 3) == nil)
        #expect(decoder.take(2, at: 4) == move(1, -2))
        // A byte was lost: after half a second of silence a new packet begins.
        #expect(decoder.take(0x08, at: 5) == nil)
        #expect(decoder.take(0x08, at: 600_000_005) == nil)
        #expect(decoder.take(3, at: 600_000_006) == nil)
        #expect(decoder.take(4, at: 600_000_007) == move(3, -4))
        #expect(decoder.errors == 2)
    }
}

struct EventLogTests {
    private func event(_ value: Int32) -> InputEvent { InputEvent(time: 0, type: 2, code: 0, value: value) }

    @Test func everyReaderGetsAll() {
        var log = EventLog()
        for value in Int32(0)..<10 { log.append(event(value)) }
        var (a, b): (UInt64, UInt64) = (0, 5)
        #expect(log.next(&a, for: 1) == nil)
        log.shown = log.end
        var values: [Int32] = []
        while let next = log.next(&a, for: 1) { values.append(next.value) }
        #expect(values == Array(0..<10))
        #expect(log.next(&b, for: 2)?.value == 5)
    }

    @Test func whoIsOvertakenIsTold() {
        var log = EventLog()
        for value in Int32(0)..<2000 { log.append(event(value)) }
        log.shown = log.end
        var place: UInt64 = 0
        #expect(log.next(&place, for: 1)?.code == InputEvent.Synchronize.dropped)
        #expect(log.next(&place, for: 1) == nil)
        log.append(event(7))
        log.shown = log.end
        #expect(log.next(&place, for: 1)?.value == 7)
    }

    @Test func whatIsGrabbedIsForOne() {
        var log = EventLog()
        log.owner = 2
        log.append(event(1))
        log.owner = 0
        log.append(event(2))
        log.shown = log.end
        var (a, b): (UInt64, UInt64) = (0, 0)
        #expect(log.next(&a, for: 1)?.value == 2)
        #expect(log.next(&b, for: 2)?.value == 1)
    }
}
