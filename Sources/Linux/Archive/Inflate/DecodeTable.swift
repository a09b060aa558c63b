// Tables that decode a Huffman code of DEFLATE (RFC 1951, 3.2.2) by look-up.
//
// The next bits of the input index a main table; a code longer than its index leads to a
// second table. An entry is one word, made so that decoding needs few instructions:
//
//   bits 0-7    bits to consume: the code's and the extra bits'
//   bits 8-13   bits of the code alone; in a link, index bits of the second table
//   bit 14      extra bits follow the code; with bit 15: link to a second table
//   bit 15      anything but a literal, a length or a distance
//   bits 16-30  literal, base of the length or distance, or start of the second table
//   bit 30      with bit 15: end of block
//   bit 31      literal
//
// Invariant: every index that input bits can form lies inside the table, and every entry there is set.

/// A decoding table of at most `capacity` entries.
@safe struct DecodeTable: ~Copyable {
    static let literal: UInt32 = 1 << 31
    static let exceptional: UInt32 = 1 << 15
    static let extraBits: UInt32 = 1 << 14
    static let link: UInt32 = 1 << 14
    static let endOfBlock: UInt32 = 1 << 30
    /// No code leads here.
    static let invalid: UInt32 = exceptional | 1

    /// `capacity` entries of this table alone.
    let entries: UnsafeMutablePointer<UInt32>
    /// Bits that index the main table.
    let indexBits: Int
    private let capacity: Int

    /// `capacity` must be what the worst code of the alphabet needs (zlib's `enough` computes it).
    init(indexBits: Int, capacity: Int) {
        self.indexBits = indexBits
        self.capacity = capacity
        unsafe entries = .allocate(capacity: capacity)
        unsafe entries.initialize(repeating: Self.invalid, count: capacity)
    }

    deinit { unsafe entries.deallocate() }

    /// Makes the table for the code whose symbols have these `lengths` (0: not used). `meanings` has each symbol's
    /// entry without the code's length. False if the lengths are no prefix code that DEFLATE allows.
    mutating func build(
        _ lengths: UnsafePointer<UInt8>, _ symbols: Int, _ meanings: UnsafePointer<UInt32>,
        mayBeIncomplete: Bool
    ) -> Bool {
        var counts = InlineArray<16, Int>(repeating: 0)
        for symbol in 0..<symbols { unsafe counts[Int(lengths[symbol] & 15)] += 1 }
        counts[0] = 0
        guard let used = Self.codeSpace(counts) else { return false }
        if used < 1 << 15 {
            // A code of one symbol with one bit, or of none, is all that may be incomplete.
            var all = 0
            for length in 1..<16 { all += counts[length] }
            guard mayBeIncomplete, all == counts[1], all <= 1 else { return false }
            unsafe entries.update(repeating: Self.invalid, count: 1 << indexBits)
            guard all == 1 else { return true }
            for symbol in 0..<symbols where unsafe lengths[symbol] == 1 {
                let entry = unsafe Self.entry(meanings[symbol], length: 1)
                // Every even index: the code is the bit 0.
                for index in stride(from: 0, to: 1 << indexBits, by: 2) { unsafe entries[index] = entry }
            }
            return true
        }
        return unsafe fill(lengths, symbols, meanings, counts)
    }

    /// How much of the space of 15-bit codes is used; nil if more than there is.
    private static func codeSpace(_ counts: InlineArray<16, Int>) -> Int? {
        var used = 0
        for length in 1..<16 { used += counts[length] << (15 - length) }
        return used <= 1 << 15 ? used : nil
    }

    @inline(__always)
    private static func entry(_ meaning: UInt32, length: Int) -> UInt32 {
        // Consumed bits and the code's bits are both counted up by the length of the code.
        meaning &+ UInt32(truncatingIfNeeded: length &* 0x101)
    }

    /// Fills the tables of a complete code, in order of its codes.
    private mutating func fill(
        _ lengths: UnsafePointer<UInt8>, _ symbols: Int, _ meanings: UnsafePointer<UInt32>,
        _ counts: InlineArray<16, Int>
    ) -> Bool {
        var sorted = InlineArray<320, UInt16>(repeating: 0)
        var starts = InlineArray<16, Int>(repeating: 0)
        for length in 1..<15 { starts[length + 1] = starts[length] + counts[length] }
        for symbol in 0..<symbols {
            let length = unsafe Int(lengths[symbol] & 15)
            if length == 0 { continue }
            sorted[starts[length]] = UInt16(truncatingIfNeeded: symbol)
            starts[length] += 1
        }
        var code = 0
        var next = 0
        for length in 1...indexBits {
            // The table for codes up to this length repeats that for shorter ones.
            if length > 1 {
                unsafe (entries + (1 << (length - 1))).update(from: entries, count: 1 << (length - 1))
            }
            for _ in 0..<counts[length] {
                unsafe entries[code] = Self.entry(meanings[Int(sorted[next])], length: length)
                next += 1
                code = Self.successor(code, length)
            }
        }
        return unsafe fillLongCodes(from: next, code, sorted, meanings, counts)
    }

    /// The code after `code` of the same length, first bit lowest; 0 after the last.
    @inline(__always)
    private static func successor(_ code: Int, _ length: Int) -> Int {
        let zeros = ~code & ((1 << length) &- 1)
        if zeros == 0 { return 0 }
        let top = 1 << (Int.bitWidth &- 1 &- zeros.leadingZeroBitCount)
        return code & (top &- 1) | top
    }

    private mutating func fillLongCodes(
        from first: Int, _ firstCode: Int, _ sorted: InlineArray<320, UInt16>,
        _ meanings: UnsafePointer<UInt32>,
        _ counts: InlineArray<16, Int>
    ) -> Bool {
        var next = first
        var code = firstCode
        var prefix = -1
        var start = 1 << indexBits
        var size = 0
        for length in (indexBits + 1)..<16 {
            var left = counts[length]
            while left > 0 {
                if code & ((1 << indexBits) - 1) != prefix {
                    prefix = code & ((1 << indexBits) - 1)
                    start += size
                    let bits = Self.linkBits(length - indexBits, left, counts, indexBits)
                    size = 1 << bits
                    guard start + size <= capacity else { return false }
                    unsafe entries[prefix] =
                        Self.exceptional | Self.link | UInt32(start) << 16 | UInt32(bits) << 8
                        | UInt32(indexBits)
                }
                let entry = unsafe Self.entry(meanings[Int(sorted[next])], length: length - indexBits)
                var index = code >> indexBits
                while index < size {
                    unsafe entries[start + index] = entry
                    index += 1 << (length - indexBits)
                }
                next += 1
                left -= 1
                code = Self.successor(code, length)
            }
        }
        return true
    }

    /// Index bits of a second table whose first code has `bits` more bits than the main table, and
    /// after which `left` codes of that length are still to come.
    private static func linkBits(
        _ bits: Int, _ left: Int, _ counts: InlineArray<16, Int>, _ indexBits: Int
    ) -> Int {
        var bits = bits
        var space = left
        while space < 1 << bits, indexBits + bits < 15 {
            bits += 1
            space = space << 1 + counts[indexBits + bits]
        }
        return bits
    }
}
