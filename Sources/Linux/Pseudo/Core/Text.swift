// Text that the kernel makes for user programs to read: bytes that grow, filled by interpolation.
//
//     text.add("MemTotal:       \(padded: total, to: 8) kB\n")

/// A growing text. Task context: allocates.
public struct Text: ExpressibleByStringInterpolation, Sendable {
    public typealias StringLiteralType = StaticString

    public private(set) var bytes: [UInt8] = []

    public init() {}
    public init(stringLiteral literal: StaticString) { add(literal) }
    public init(stringInterpolation: Interpolation) { self = stringInterpolation.text }

    public var count: Int { bytes.count }

    public mutating func add(_ text: Text) { bytes.append(contentsOf: text.bytes) }
    public mutating func add(byte: UInt8) { bytes.append(byte) }
    public mutating func add(_ more: [UInt8]) { bytes.append(contentsOf: more) }
    public mutating func add(_ more: Span<UInt8>) { for index in more.indices { bytes.append(more[index]) } }
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Adds spaces until `width` bytes stand behind position `start`.
    public mutating func pad(from start: Int, to width: Int) {
        while bytes.count - start < width { bytes.append(32) }
    }

    /// Adds a text and spaces up to `width`.
    public mutating func add(column text: StaticString, width: Int) {
        let start = bytes.count
        add(text)
        pad(from: start, to: width)
    }

    /// Cuts the text to its first `count` bytes.
    public mutating func truncate(to count: Int) {
        if count < bytes.count { bytes.removeLast(bytes.count - count) }
    }

    private mutating func add(_ literal: StaticString) {
        // A static string with a pointer representation is UTF-8 code units for its whole life.
        let units = unsafe UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
        unsafe bytes.append(contentsOf: units)
    }

    /// Decimal digits, with `pad` in front up to `width`.
    public mutating func add(decimal value: UInt64, width: Int = 0, pad: UInt8 = 32) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var count = 0
        var rest = value
        repeat {
            digits[count] = 48 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            count += 1
        } while rest > 0
        if count < width { for _ in count..<width { bytes.append(pad) } }
        while count > 0 {
            count -= 1
            bytes.append(digits[count])
        }
    }

    /// Hexadecimal digits, at least `width` of them.
    public mutating func add(hex value: UInt64, width: Int = 1) {
        var shift = max(width, (67 - value.leadingZeroBitCount) / 4) * 4
        while shift > 0 {
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
            bytes.append(digit < 10 ? 48 + digit : 87 + digit)
        }
    }

    /// Octal digits.
    public mutating func add(octal value: UInt64, width: Int = 1) {
        var digits = 1
        while digits < 22, value >> UInt64(digits * 3) != 0 { digits += 1 }
        for place in (0..<max(digits, width)).reversed() {
            bytes.append(48 + UInt8(truncatingIfNeeded: place > 21 ? 0 : value >> UInt64(place * 3)) & 7)
        }
    }

    public struct Interpolation: StringInterpolationProtocol {
        public typealias StringLiteralType = StaticString
        var text = Text()

        public init(literalCapacity: Int, interpolationCount: Int) {
            text.bytes.reserveCapacity(literalCapacity + interpolationCount * 8)
        }
        public mutating func appendLiteral(_ literal: StaticString) { text.add(literal) }
        public mutating func appendInterpolation(_ literal: StaticString) { text.add(literal) }
        public mutating func appendInterpolation<T: BinaryInteger>(_ value: T) {
            if value < 0 { text.add(byte: 45) }
            text.add(decimal: UInt64(truncatingIfNeeded: value.magnitude))
        }
        /// Right-aligned in a field.
        public mutating func appendInterpolation<T: BinaryInteger>(
            padded value: T, to width: Int, with pad: UInt8 = 32
        ) {
            text.add(decimal: UInt64(truncatingIfNeeded: value), width: width, pad: pad)
        }
        public mutating func appendInterpolation<T: BinaryInteger>(hex value: T, width: Int = 1) {
            text.add(hex: UInt64(truncatingIfNeeded: value), width: width)
        }
        public mutating func appendInterpolation<T: BinaryInteger>(octal value: T, width: Int = 1) {
            text.add(octal: UInt64(truncatingIfNeeded: value), width: width)
        }
        public mutating func appendInterpolation(_ bytes: [UInt8]) { text.add(bytes) }
        public mutating func appendInterpolation(_ bytes: Span<UInt8>) { text.add(bytes) }
        public mutating func appendInterpolation(_ other: Text) { text.add(other) }
    }
}

extension Text {
    /// Text from outside in a file of fields: white space, control characters and backslashes as `\ooo`.
    public mutating func add(escaping name: [UInt8]) {
        for byte in name {
            if byte <= 32 || byte == 92 || byte == 35 || byte == 127 {
                bytes.append(92)
                add(octal: UInt64(byte), width: 3)
            } else {
                bytes.append(byte)
            }
        }
    }

    /// CPUs or nodes as ranges: `0-3,5`.
    public mutating func add(list contains: (Int) -> Bool, below limit: Int) {
        var isFirst = true
        var index = 0
        while index < limit {
            guard contains(index) else {
                index += 1
                continue
            }
            var last = index
            while last + 1 < limit, contains(last + 1) { last += 1 }
            if !isFirst { bytes.append(44) }
            isFirst = false
            add(decimal: UInt64(index))
            if last > index {
                bytes.append(45)
                add(decimal: UInt64(last))
            }
            index = last + 1
        }
    }

    /// CPUs or nodes as hexadecimal words of 32, highest first: `00000001,ffffffff`.
    public mutating func add(mask contains: (Int) -> Bool, below limit: Int) {
        let words = max((limit + 31) / 32, 1)
        for word in (0..<words).reversed() {
            var bits: UInt64 = 0
            for bit in 0..<32 where word * 32 + bit < limit && contains(word * 32 + bit) {
                bits |= 1 << UInt64(bit)
            }
            let digits = limit >= 32 ? 8 : (max(limit, 1) + 3) / 4
            add(hex: bits, width: digits)
            if word > 0 { bytes.append(44) }
        }
    }
}
