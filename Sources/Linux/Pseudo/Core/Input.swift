// Reading what a program wrote to a file of settings.

import Primitives

/// Parses numbers and words from bytes of a user program.
struct Input {
    /// The bytes without white space at both ends.
    @_lifetime(copy bytes)
    static func trimmed(_ bytes: Span<UInt8>) -> Span<UInt8> {
        var start = 0
        var end = bytes.count
        while start < end, bytes[start] <= 32 { start += 1 }
        while end > start, bytes[end - 1] <= 32 { end -= 1 }
        return bytes.extracting(start..<end)
    }

    /// A decimal, octal (`0…`) or hexadecimal (`0x…`) number with white space around it, perhaps negative.
    static func number(_ bytes: Span<UInt8>, in range: ClosedRange<Int>) throws(Errno) -> Int {
        let digits = trimmed(bytes)
        let isNegative = digits.count > 0 && digits[0] == 45
        var index = isNegative || digits.count > 0 && digits[0] == 43 ? 1 : 0
        let radix = radix(digits, &index)
        guard index < digits.count else { throw .invalid }
        var value = 0
        while index < digits.count {
            guard let digit = digit(digits[index]), digit < radix else { throw .invalid }
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(digit)
            guard !overflow, !carry else { throw .range }
            value = sum
            index += 1
        }
        value = isNegative ? -value : value
        guard range.contains(value) else { throw .invalid }
        return value
    }

    private static func radix(_ digits: Span<UInt8>, _ index: inout Int) -> Int {
        guard index + 1 < digits.count, digits[index] == 48 else { return 10 }
        if digits[index + 1] | 32 == 120 {
            index += 2
            return 16
        }
        index += 1
        return 8
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case 48...57: Int(byte) - 48
        case 97...102: Int(byte) - 87
        case 65...70: Int(byte) - 55
        default: nil
        }
    }

    /// The bytes are exactly this word.
    static func equals(_ bytes: Span<UInt8>, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        for index in bytes.indices {
            // Inside the word, whose code units live as long as the kernel.
            if unsafe word.utf8Start[index] != bytes[index] { return false }
        }
        return true
    }

    static func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for index in bytes.indices { result.append(bytes[index]) }
        return result
    }
}
