// Sets of CPUs as text: hexadecimal words of 32 CPUs with commas between them, or lists of numbers and ranges (Linux's
// bitmap formats).

import Primitives

enum CPUMaskText {
    /// As many words as there are possible CPUs, the highest first.
    static func add(_ mask: CPUMask, to text: inout Text) {
        let digits = max((CPUs.count + 3) / 4, 1)
        var digit = digits - 1
        while digit >= 0 {
            let cpu = digit * 4
            let value = mask[word: cpu >> 6] >> UInt64(cpu & 63) & 15
            text.add(byte: UInt8(value < 10 ? 48 + value : 87 + value))
            if digit > 0, digit % 8 == 0 { text.add(byte: 44) }
            digit -= 1
        }
        text.add("\n")
    }

    /// "0-2,5".
    static func addList(_ mask: CPUMask, to text: inout Text) {
        var isFirst = true
        var next = mask.next(from: 0)
        while let start = next {
            var end = start
            while mask.next(from: end + 1) == end + 1 { end += 1 }
            if !isFirst { text.add(",") }
            isFirst = false
            text.add(start == end ? "\(start)" : "\(start)-\(end)")
            next = mask.next(from: end + 1)
        }
        text.add("\n")
    }

    /// Reads hexadecimal words. `.invalid` for anything else; CPUs beyond the largest set are `.overflow`.
    static func parse(_ bytes: Span<UInt8>) throws(Errno) -> CPUMask {
        let digits = Input.trimmed(bytes)
        var mask = CPUMask()
        var place = 0
        var index = digits.count - 1
        if index < 0 { throw .invalid }
        while index >= 0 {
            let byte = digits[index]
            index -= 1
            if byte == 44 {
                // A word is 8 digits; a shorter one is filled up.
                place = (place + 7) / 8 * 8
                continue
            }
            guard let value = hexadecimal(byte) else { throw .invalid }
            if value != 0 {
                guard place < 64 else { throw .overflow }
                mask[word: place >> 4] |= UInt64(value) << UInt64((place & 15) * 4)
            }
            place += 1
        }
        return mask
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    /// Reads a list of numbers and ranges.
    static func parseList(_ bytes: Span<UInt8>) throws(Errno) -> CPUMask {
        let text = Input.trimmed(bytes)
        var mask = CPUMask()
        var index = 0
        while index < text.count {
            let first = try number(text, &index)
            var last = first
            if index < text.count, text[index] == 45 {
                index += 1
                last = try number(text, &index)
            }
            guard first <= last else { throw .invalid }
            for cpu in first...last { mask.insert(cpu) }
            if index < text.count {
                guard text[index] == 44 else { throw .invalid }
                index += 1
            }
        }
        return mask
    }

    private static func number(_ text: Span<UInt8>, _ index: inout Int) throws(Errno) -> Int {
        var value = 0
        let start = index
        while index < text.count, text[index] >= 48, text[index] <= 57 {
            value = value * 10 + Int(text[index] - 48)
            guard value < 256 else { throw .range }
            index += 1
        }
        guard index > start else { throw .invalid }
        return value
    }
}
