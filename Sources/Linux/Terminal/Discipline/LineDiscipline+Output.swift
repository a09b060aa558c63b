// Output processing (OPOST), for what programs write and for echo, and the cursor's column that tabs need.

extension LineDiscipline {
    /// What one written byte becomes: at most eight bytes (a tab as spaces).
    struct Expansion: Sendable {
        private(set) var count = 0
        private var bytes = InlineArray<8, UInt8>(repeating: 0)

        subscript(index: Int) -> UInt8 { bytes[index] }

        mutating func append(_ byte: UInt8) {
            guard count < 8 else { return }
            bytes[count] = byte
            count &+= 1
        }
    }

    /// With IUTF8, a byte of a character after its first one.
    func isContinuation(_ byte: UInt8) -> Bool {
        termios.input.contains(.utf8) && byte & 0xc0 == 0x80
    }

    /// Bytes the device must have room for before `byte` is processed.
    func outputSize(_ byte: UInt8) -> Int {
        guard termios.output.contains(.process) else { return 1 }
        if byte == 10, termios.output.contains(.newlineToCarriageReturnNewline) { return 2 }
        if byte == 9, termios.output.isSuperset(of: .tabsToSpaces) { return Int(8 - column & 7) }
        return 1
    }

    /// Processes one byte for the device and follows the cursor.
    mutating func process(_ byte: UInt8) -> Expansion {
        var result = Expansion()
        guard termios.output.contains(.process) else {
            result.append(byte)
            return result
        }
        switch byte {
        case 10: processNewline(&result)
        case 13: processCarriageReturn(&result)
        case 9: processTab(&result)
        case 8:
            if column > 0 { column &-= 1 }
            result.append(8)
        default: processOther(byte, &result)
        }
        return result
    }

    private mutating func processNewline(_ result: inout Expansion) {
        if termios.output.contains(.newlineToCarriageReturnNewline) {
            result.append(13)
            column = 0
        } else if termios.output.contains(.newlineReturns) {
            column = 0
        }
        lineColumn = column
        result.append(10)
    }

    private mutating func processCarriageReturn(_ result: inout Expansion) {
        if termios.output.contains(.noCarriageReturnAtColumn0), column == 0 { return }
        if termios.output.contains(.carriageReturnToNewline) {
            if termios.output.contains(.newlineReturns) {
                column = 0
                lineColumn = 0
            }
            return result.append(10)
        }
        column = 0
        lineColumn = 0
        result.append(13)
    }

    private mutating func processTab(_ result: inout Expansion) {
        let width = 8 - column & 7
        column &+= width
        guard termios.output.isSuperset(of: .tabsToSpaces) else { return result.append(9) }
        for _ in 0..<width { result.append(32) }
    }

    private mutating func processOther(_ byte: UInt8, _ result: inout Expansion) {
        let shown = termios.output.contains(.uppercase) ? byte.uppercase : byte
        if !shown.isControl, !isContinuation(shown) { column &+= 1 }
        result.append(shown)
    }
}
