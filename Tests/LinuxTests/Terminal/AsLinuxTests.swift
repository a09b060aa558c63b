// The same keys at our line discipline and at the host's: same echo, same reads. Where the host is
// no Linux with pseudo-terminals the comparison is left out.

import Testing

@testable import Linux

@Suite(.serialized) struct AsLinuxTests {
    struct Keyboard: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    /// Settings with about half of the flags that matter switched on.
    static func settings(_ random: inout Keyboard) -> Termios {
        var settings = Termios()
        // Of the flags that need a wire or another end: none.
        let input: UInt32 = 0o40 | 0o100 | 0o200 | 0o400 | 0o1000 | 0o2000 | 0o40000
        settings.input = .init(rawValue: UInt32.random(in: 0...UInt32.max, using: &random) & input)
        settings.output = .init(rawValue: UInt32.random(in: 0...0o77, using: &random))
        if Bool.random(using: &random) { settings.output.insert(.tabsToSpaces) }
        if Int.random(in: 0..<4, using: &random) > 0 { settings.output.insert(.process) }
        let local: UInt32 =
            0o1 | 0o2 | 0o10 | 0o20 | 0o40 | 0o100 | 0o200 | 0o1000 | 0o2000 | 0o4000 | 0o100000
        settings.local = .init(rawValue: UInt32.random(in: 0...UInt32.max, using: &random) & local)
        if Int.random(in: 0..<3, using: &random) > 0 {
            settings.local.formUnion([.canonical, .echo, .echoErase, .extended])
            settings.local.remove(.echoPrint)
        }
        if Bool.random(using: &random) { settings[.endOfLine] = 59 }
        // There Linux moves the column back once a byte, not once a character.
        if settings.input.contains(.utf8) { settings.local.remove(.echoPrint) }
        return settings
    }

    static let keys: [[UInt8]] = [
        [97], [98, 99], [32], [32], [9], [9], [0x7f], [0x7f], [0x7f], [0x17], [0x15], [0x12], [0x16], [0x04],
        [10], [10], [13], [3], [26], [28], [0x11], [59], [1], [0], [0xc3, 0xa9], [0xe2, 0x82, 0xac],
        [0xf0, 0x9f, 0x98, 0x80], [0x80], [0xff], [65], [0xc1], [8],
    ]

    /// Where the two differ, in words; nil if they do not.
    static func difference(seed: UInt64, pause: UInt32) -> String? {
        var story = ""
        func note(_ settings: Termios) {
            story +=
                " [\(String(settings.input.rawValue, radix: 8)) \(String(settings.output.rawValue, radix: 8)) \(String(settings.local.rawValue, radix: 8))]"
        }
        var random = Keyboard(state: seed)
        var settings = settings(&random)
        guard let host = HostTerminal(settings, pause: pause) else { return nil }
        let desk = TypingDesk { $0 = settings }
        note(settings)
        for step in 0..<40 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                let limit = Int.random(in: 1...8, using: &random)
                let (ours, theirs) = (desk.readBytes(limit), host.read(limit))
                story += " r\(limit)"
                if ours != theirs {
                    return story + "\nstep \(step): read(\(limit)) \(ours ?? [0]) is not \(theirs ?? [0])"
                }
            case 1:
                let text = ["$ ", "a\tb\n", "x\ry\u{8}"].randomElement(using: &random)!
                story += " w\(Array(text.utf8))"
                let ours = Array(desk.write(text).utf8)
                let theirs = host.write(Array(text.utf8), expecting: ours.count)
                if ours != theirs { return story + "\nstep \(step): written \(ours) is not \(theirs)" }
            case 2 where Bool.random(using: &random):
                settings = Self.settings(&random)
                note(settings)
                desk.change { $0 = settings }
                host.set(settings)
            default:
                for key in Self.keys.randomElement(using: &random)! {
                    story += " \(key)"
                    desk.type([key])
                    let ours = desk.screenBytes()
                    let theirs = host.type(key, expecting: ours.count)
                    if ours != theirs {
                        return story + "\nstep \(step): echo of \(key) \(ours) is not \(theirs)"
                    }
                }
            }
            let ours = desk.discipline.readableCount
            let theirs = host.readableCount(expecting: ours)
            if ours != theirs { return story + "\nstep \(step): \(ours) to read is not \(theirs)" }
        }
        for step in 0..<50 {
            let (ours, theirs) = (desk.readBytes(), host.read(8192))
            if ours != theirs { return story + "\nend \(step): read \(ours ?? [0]) is not \(theirs ?? [0])" }
            if ours == nil { return nil }
        }
        return nil
    }

    @Test(arguments: 0..<300) func sameAsTheHost(seed: Int) {
        // A difference may be the host being slow: it gets more time before it counts.
        guard Self.difference(seed: UInt64(seed), pause: 2000) != nil else { return }
        let difference = Self.difference(seed: UInt64(seed), pause: 100_000)
        #expect(difference == nil)
    }
}
