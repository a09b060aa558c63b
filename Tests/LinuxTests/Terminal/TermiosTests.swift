import Testing

@testable import Linux

@Suite struct TermiosTests {
    /// What `stty -a` shows on a fresh Linux console, as the bytes of TCGETS.
    @Test func freshSettingsAsLinux() {
        let bytes = Termios().bytes(.termios)
        #expect(bytes.count == 36)
        #expect(Array(bytes[0..<4]) == [0x00, 0x05, 0, 0])
        #expect(Array(bytes[4..<8]) == [0x05, 0, 0, 0])
        #expect(Array(bytes[8..<12]) == [0xbf, 0x04, 0, 0])
        #expect(Array(bytes[12..<16]) == [0x3b, 0x8a, 0, 0])
        #expect(bytes[16] == 0)
        #expect(
            Array(bytes[17..<36]) == [
                3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0,
            ])
    }

    @Test(arguments: [Termios.Layout.termios, .termios2])
    func roundTrip(layout: Termios.Layout) {
        var settings = Termios()
        settings.input = [.utf8, .strip]
        settings.output = []
        settings.local = [.echo]
        settings[.erase] = 8
        settings[.minimum] = 7
        settings.setSpeed(115_200)
        let bytes = settings.bytes(layout)
        var copy = Termios()
        copy.take(bytes.span, layout)
        #expect(copy == settings)
    }

    @Test func termioKeepsWhatItCannotCarry() {
        var settings = Termios()
        settings.control |= Termios.Control.hardwareFlow
        settings[.literalNext] = 99
        var other = Termios()
        other.local = []
        other[.interrupt] = 1
        other[.literalNext] = 1
        settings.take(other.bytes(.termio).span, .termio)
        #expect(settings.local == [])
        #expect(settings[.interrupt] == 1)
        #expect(settings[.literalNext] == 99)
        #expect(settings.control & Termios.Control.hardwareFlow != 0)
        #expect(other.bytes(.termio).count == 18)
    }

    @Test func speeds() {
        var settings = Termios()
        settings.setSpeed(115_200)
        #expect(settings.control & Termios.Control.speedMask == 0o10002)
        settings.control = settings.control & ~Termios.Control.speedMask | 13
        settings.resolveSpeeds()
        #expect(settings.outputSpeed == 9600)
        #expect(settings.inputSpeed == 9600)
        settings.control =
            settings.control & ~Termios.Control.speedMask | Termios.Control.speedExtra
        settings.outputSpeed = 12345
        settings.resolveSpeeds()
        #expect(settings.outputSpeed == 12345)
        #expect(Termios.speedCode(12345) == Termios.Control.speedExtra)
        #expect(Termios.speedCode(4_000_000) == 0o10017)
        #expect(Termios.speedCode(0) == 0)
    }
}
