// A line for the kernel log, built by string interpolation without the heap, so that any context
// can log: `log(.info, "cpu \(index): \(hex: address)")`.

/// At most 240 bytes of text; what does not fit is cut off.
public struct LogMessage: ExpressibleByStringInterpolation, Sendable {
    public typealias StringLiteralType = StaticString
    public static let capacity = 240

    var bytes = InlineArray<240, UInt8>(repeating: 0)
    public private(set) var count = 0

    public init(stringLiteral value: StaticString) { append(value) }
    public init(stringInterpolation: Interpolation) { self = stringInterpolation.message }
    init() {}

    public subscript(index: Int) -> UInt8 { bytes[index] }

    @inline(__always)
    public mutating func append(byte: UInt8) {
        guard count < Self.capacity else { return }
        bytes[count] = byte
        count &+= 1
    }

    public mutating func append(_ text: StaticString) {
        // A static string with a pointer representation is UTF-8 code units for its whole life.
        let units = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for index in 0..<text.utf8CodeUnitCount { unsafe append(byte: units[index]) }
    }

    public mutating func append(decimal value: UInt64) {
        guard value >= 10 else { return append(byte: 48 + UInt8(truncatingIfNeeded: value)) }
        append(decimal: value / 10)
        append(byte: 48 + UInt8(truncatingIfNeeded: value % 10))
    }

    public mutating func append(hex value: UInt64, digits: Int = 1) {
        var shift = max(digits, (67 - value.leadingZeroBitCount) / 4) * 4
        while shift > 0 {
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
            append(byte: digit < 10 ? 48 + digit : 87 + digit)
        }
    }

    public struct Interpolation: StringInterpolationProtocol {
        public typealias StringLiteralType = StaticString
        var message = LogMessage()

        public init(literalCapacity: Int, interpolationCount: Int) {}
        public mutating func appendLiteral(_ literal: StaticString) { message.append(literal) }
        public mutating func appendInterpolation(_ text: StaticString) { message.append(text) }
        public mutating func appendInterpolation(_ text: LogMessage) {
            for index in 0..<text.count { message.append(byte: text[index]) }
        }
        public mutating func appendInterpolation<T: BinaryInteger>(_ value: T) {
            if value < 0 { message.append(byte: 45) }
            message.append(decimal: UInt64(truncatingIfNeeded: value.magnitude))
        }
        public mutating func appendInterpolation<T: BinaryInteger>(hex value: T, digits: Int = 1) {
            message.append(hex: UInt64(truncatingIfNeeded: value), digits: digits)
        }
        public mutating func appendInterpolation(padded value: UInt64, to width: Int, with pad: UInt8 = 32) {
            var digits = 1
            var rest = value / 10
            while rest > 0 {
                digits += 1
                rest /= 10
            }
            for _ in 0..<max(width - digits, 0) { message.append(byte: pad) }
            message.append(decimal: value)
        }
        /// Text from outside; control characters show as `?`.
        public mutating func appendInterpolation(_ text: Span<UInt8>) {
            for index in text.indices {
                let byte = text[index]
                message.append(byte: byte < 32 || byte == 127 ? 63 : byte)
            }
        }
        /// Text from outside; control characters show as `?`.
        public mutating func appendInterpolation(_ text: [UInt8]) { appendInterpolation(text.span) }
    }
}
