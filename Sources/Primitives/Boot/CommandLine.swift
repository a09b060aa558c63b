// The kernel's command line: words separated by spaces, `name` or `name=value`, double quotes keep
// spaces together, as Linux splits it (Documentation/admin-guide/kernel-parameters.rst).

public struct CommandLine: Sendable {
    public struct Word: Sendable {
        /// The whole word without its quotes.
        public var text: [UInt8]
        /// Where `=` stands, if there is one.
        fileprivate var equals: Int?

        public var name: ArraySlice<UInt8> { text[..<(equals ?? text.count)] }
        public var value: ArraySlice<UInt8>? { equals.map { text[($0 + 1)...] } }
    }

    /// The kernel's own words, before `--`.
    public private(set) var words: [Word] = []
    /// What stands behind `--`: arguments of init.
    public private(set) var initArguments: [[UInt8]] = []
    /// The line as it came, without a final newline.
    public let text: [UInt8]

    public init(_ text: [UInt8]) {
        self.text = text
        var quoted = false
        var word: [UInt8] = []
        var equals: Int?
        var started = false
        var forInit = false
        for index in 0...text.count {
            let byte: UInt8 = index < text.count ? text[index] : 32
            let atEnd = index == text.count
            if byte == 34 {
                quoted.toggle()
                started = true
            } else if isSpace(byte) && (!quoted || atEnd) {
                if started { finish(&word, &equals, &forInit) }
                started = false
            } else {
                if byte == 61, equals == nil { equals = word.count }
                word.append(byte)
                started = true
            }
        }
    }

    private mutating func finish(_ word: inout [UInt8], _ equals: inout Int?, _ forInit: inout Bool) {
        if forInit {
            initArguments.append(word)
        } else if word.count == 2, word[0] == 45, word[1] == 45 {
            forInit = true
        } else {
            words.append(Word(text: word, equals: equals))
        }
        word = []
        equals = nil
    }

    /// The value of the last `name=value`, or an empty one for a bare `name`; nil if the word is not there.
    public func value(of name: StaticString) -> ArraySlice<UInt8>? {
        var index = words.count
        while index > 0 {
            index -= 1
            if matches(words[index].name, name) { return words[index].value ?? [] }
        }
        return nil
    }

    public func has(_ name: StaticString) -> Bool { value(of: name) != nil }

    /// The unsigned decimal number given for `name`: nil if the word is missing.
    /// - Throws: `BadValue` when there is a word of that name that holds no number.
    public func number(of name: StaticString) throws(BadValue) -> UInt64? {
        guard let digits = value(of: name) else { return nil }
        guard let number = decimal(digits) else { throw BadValue() }
        return number
    }

    public struct BadValue: Error, Sendable {}
}

@inline(__always)
private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13) }

/// Whether `bytes` are the UTF-8 code units of `text`.
public func matches(_ bytes: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    for offset in 0..<bytes.count {
        // offset < utf8CodeUnitCount, checked above.
        guard unsafe bytes[bytes.startIndex + offset] == text.utf8Start[offset] else { return false }
    }
    return true
}

/// Whether `bytes` begin with the UTF-8 code units of `text`.
public func hasPrefix(_ bytes: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
    bytes.count >= text.utf8CodeUnitCount && matches(bytes.prefix(text.utf8CodeUnitCount), text)
}

/// The value of a string of decimal digits that fits 64 bits.
public func decimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
    guard !digits.isEmpty else { return nil }
    var number: UInt64 = 0
    for digit in digits {
        guard digit >= 48, digit <= 57 else { return nil }
        let (product, high) = number.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt64(digit - 48))
        guard !high, !carry else { return nil }
        number = sum
    }
    return number
}
