// The name of a thread, as `/proc/PID/comm` shows it.

/// At most 15 bytes and a zero, like Linux's `comm` (prctl(2), PR_SET_NAME).
public struct ThreadName: Sendable, ExpressibleByStringLiteral {
    public private(set) var bytes = InlineArray<16, UInt8>(repeating: 0)

    public init(stringLiteral text: StaticString) {
        // A static string with a pointer representation is UTF-8 code units for its whole life.
        let units = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        for index in 0..<min(units.count, 15) { unsafe bytes[index] = units[index] }
    }

    /// The first 15 bytes of `text`, up to a zero.
    public init(_ text: Span<UInt8>) {
        for index in 0..<min(text.count, 15) {
            if text[index] == 0 { return }
            bytes[index] = text[index]
        }
    }

    /// `text` with `/number` behind it, as per-CPU threads are called.
    public init(_ text: StaticString, number: Int) {
        self.init(stringLiteral: text)
        var length = count
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var digitCount = 0
        var rest = number.magnitude
        repeat {
            digits[digitCount] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            digitCount += 1
            rest /= 10
        } while rest > 0
        if length < 15 {
            bytes[length] = UInt8(ascii: "/")
            length += 1
        }
        while digitCount > 0, length < 15 {
            digitCount -= 1
            bytes[length] = digits[digitCount]
            length += 1
        }
    }

    /// Bytes before the first zero.
    public var count: Int {
        var length = 0
        while length < 15, bytes[length] != 0 { length += 1 }
        return length
    }
}
