// Scan codes of set 1, which the controller makes of the keyboard's set 2, become key codes.
//
// A key sends its code when it goes down and that plus 0x80 when it comes up. Behind 0xe0 stand the keys that the first
// keyboards did not have; with them come made-up shifts, which are left out. Pause sends six bytes behind 0xe1 at once
// and nothing when it comes up.

/// Where in a key's bytes the stream is. Fixed size; for top halves.
struct KeyboardDecoder: BitwiseCopyable, Sendable {
    /// A key and where it went.
    struct Key: Equatable, Sendable {
        /// As the keyboard called it: the code, plus 0x80 behind 0xe0.
        var scanCode: UInt8
        /// 0 for a key that nobody knows.
        var code: UInt16
        var isDown: Bool
    }

    private enum Prefix: UInt8, BitwiseCopyable { case none, extended, pause }

    private var prefix = Prefix.none
    private var pauseBytes: UInt8 = 0
    /// Bytes that mean that the keyboard lost some.
    private(set) var errors: UInt32 = 0

    /// Takes the next byte; a key, if that completes one.
    @_noAllocation
    mutating func take(_ byte: UInt8) -> Key? {
        switch prefix {
        case .pause: return takePause()
        case .none where byte == 0xe0:
            prefix = .extended
            return nil
        case .none where byte == 0xe1:
            prefix = .pause
            pauseBytes = 0
            return nil
        case .none where byte == 0 || byte == 0xff:
            errors &+= 1
            return nil
        default: break
        }
        let isExtended = prefix == .extended
        prefix = .none
        let number = byte & 0x7f
        // Made-up shifts.
        if isExtended, number == 0x2a || number == 0x36 { return nil }
        return Key(
            scanCode: isExtended ? number | 0x80 : number,
            code: isExtended ? Self.extendedCode(number) : Self.plainCode(number), isDown: byte & 0x80 == 0)
    }

    /// Two bytes behind 0xe1 say that the key went down, two more that it came up.
    private mutating func takePause() -> Key? {
        pauseBytes &+= 1
        guard pauseBytes == 2 else { return nil }
        prefix = .none
        isPauseDown.toggle()
        return Key(scanCode: 0xc6, code: KeyCode.pause, isDown: isPauseDown)
    }
    private var isPauseDown = false

    /// The first 88 keys have their scan codes as key codes in Linux; few others came later.
    @_noAllocation
    private static func plainCode(_ number: UInt8) -> UInt16 {
        switch number {
        case 0x01...0x53: return UInt16(number)
        case 0x54: return 99  // SysRq
        case 0x56: return 86  // the key beside left shift
        case 0x57, 0x58: return UInt16(number)  // F11, F12
        case 0x59: return 117  // keypad =
        case 0x5d: return 183  // F13
        case 0x5e: return 184  // F14
        case 0x5f: return 185  // F15
        case 0x70: return 93  // Katakana/Hiragana
        case 0x73: return 89  // Ro
        case 0x79: return 92  // Henkan
        case 0x7b: return 94  // Muhenkan
        case 0x7d: return 124  // Yen
        case 0x7e: return 121  // keypad comma
        default: return 0
        }
    }

    @_noAllocation
    private static func extendedCode(_ number: UInt8) -> UInt16 {
        switch number {
        case 0x10: return 165  // previous song
        case 0x19: return 163  // next song
        case 0x1c: return 96  // keypad enter
        case 0x1d: return KeyCode.rightControl
        case 0x20: return 113  // mute
        case 0x21: return 140  // calculator
        case 0x22: return 164  // play/pause
        case 0x24: return 166  // stop
        case 0x2e: return 114  // volume down
        case 0x30: return 115  // volume up
        case 0x32: return 172  // home page
        case 0x35: return 98  // keypad /
        case 0x37: return 99  // print screen
        case 0x38: return KeyCode.rightAlt
        case 0x46: return KeyCode.pause  // with control: break
        case 0x47...0x49: return UInt16(number) + 31  // home, up, page up
        case 0x4b: return 105  // left
        case 0x4d: return 106  // right
        case 0x4f...0x53: return UInt16(number) + 28  // end, down, page down, insert, delete
        case 0x5b...0x5d: return UInt16(number) + 34  // left and right meta, menu
        case 0x5e: return KeyCode.power
        case 0x5f: return 142  // sleep
        case 0x63: return 143  // wake up
        default: return 0
        }
    }

    /// All key codes that can come.
    static var allCodes: [UInt16] {
        (UInt8(0)..<128).flatMap { [plainCode($0), extendedCode($0)] }.filter { $0 != 0 } + [KeyCode.pause]
    }
}
