// The three layouts in which `ioctl` carries terminal settings: termio (System V), termios, termios2.

extension Termios {
    enum Layout: Sendable {
        /// Four 16-bit words, line, eight characters (TCGETA, TCSETA).
        case termio
        /// Four 32-bit words, line, 19 characters (TCGETS, TCSETS).
        case termios
        /// The same and two speeds (TCGETS2, TCSETS2).
        case termios2

        var size: Int {
            switch self {
            case .termio: 18
            case .termios: 36
            case .termios2: 44
            }
        }
    }

    /// The settings as bytes in `layout`.
    func bytes(_ layout: Layout) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(layout.size)
        let width = layout == .termio ? 2 : 4
        for word in [input.rawValue, output.rawValue, control, local.rawValue] {
            Self.append(word, width, to: &result)
        }
        result.append(line)
        let count = layout == .termio ? 8 : Self.controlCharacterCount
        for place in ControlCharacter.allCases.prefix(count) { result.append(self[place]) }
        if layout == .termio { result.append(0) }
        if layout == .termios2 {
            Self.append(inputSpeed, 4, to: &result)
            Self.append(outputSpeed, 4, to: &result)
        }
        return result
    }

    /// Takes over what `bytes` (of `layout.size`) say; what the layout has no room for stays as it is.
    mutating func take(_ bytes: Span<UInt8>, _ layout: Layout) {
        guard bytes.count >= layout.size else { return }
        let width = layout == .termio ? 2 : 4
        let kept: UInt32 = layout == .termio ? 0xffff_0000 : 0
        input = Input(rawValue: input.rawValue & kept | Self.word(bytes, 0, width))
        output = Output(rawValue: output.rawValue & kept | Self.word(bytes, width, width))
        control = control & kept | Self.word(bytes, 2 * width, width)
        local = Local(rawValue: local.rawValue & kept | Self.word(bytes, 3 * width, width))
        line = bytes[4 * width]
        let count = layout == .termio ? 8 : Self.controlCharacterCount
        for place in ControlCharacter.allCases.prefix(count) {
            self[place] = bytes[4 * width + 1 + Int(place.rawValue)]
        }
        if layout == .termios2 {
            inputSpeed = Self.word(bytes, 36, 4)
            outputSpeed = Self.word(bytes, 40, 4)
        }
        resolveSpeeds()
    }

    private static func append(_ word: UInt32, _ width: Int, to bytes: inout [UInt8]) {
        for shift in 0..<width { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift * 8))) }
    }

    private static func word(_ bytes: Span<UInt8>, _ start: Int, _ width: Int) -> UInt32 {
        var word: UInt32 = 0
        for index in 0..<width { word |= UInt32(bytes[start + index]) << UInt32(index * 8) }
        return word
    }
}
