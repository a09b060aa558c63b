// The codes of a block: fixed, or described at its beginning (RFC 1951, 3.2.6 and 3.2.7).

extension Inflater {
    mutating func buildFixedTables() {
        var lengths = InlineArray<320, UInt8>(repeating: 8)
        for symbol in 144..<256 { lengths[symbol] = 9 }
        for symbol in 256..<280 { lengths[symbol] = 7 }
        for symbol in 288..<320 { lengths[symbol] = 5 }
        _ = buildTables(lengths, literalCount: 288, distanceCount: 32)
    }

    private mutating func buildTables(
        _ lengths: InlineArray<320, UInt8>, literalCount: Int, distanceCount: Int
    ) -> Bool {
        // The counts are at most 288 and 32, and together at most 320.
        unsafe lengths.span.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress else { return false }
            return unsafe literals.build(base, literalCount, meanings.literals, mayBeIncomplete: false)
                && distances.build(
                    base + literalCount, distanceCount, meanings.distances, mayBeIncomplete: true)
        }
    }

    /// The order in which the lengths of the codes for lengths are stored.
    private static let lengthOrder: InlineArray<19, UInt8> = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]

    mutating func readTables() throws(ArchiveError) {
        let literalCount = Int(take(5)) + 257
        let distanceCount = Int(take(5)) + 1
        let count = Int(take(4)) + 4
        guard literalCount <= 286 else {
            throw .corrupt("too many codes in a compressed block", at: position)
        }
        var lengths = InlineArray<320, UInt8>(repeating: 0)
        for index in 0..<count {
            try refill()
            lengths[Int(Self.lengthOrder[index])] = UInt8(truncatingIfNeeded: take(3))
        }
        let isCode = unsafe lengths.span.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress else { return false }
            // 19 lengths were set.
            return unsafe codeLengths.build(base, 19, meanings.codeLengths, mayBeIncomplete: false)
        }
        guard isCode else { throw .corrupt("impossible codes in a compressed block", at: position) }
        try readLengths(&lengths, literalCount + distanceCount)
        try checkNotTruncated()
        guard lengths[256] != 0,
            buildTables(lengths, literalCount: literalCount, distanceCount: distanceCount)
        else { throw .corrupt("impossible codes in a compressed block", at: position) }
    }

    /// Reads `count` lengths of codes, run-length coded.
    private mutating func readLengths(
        _ lengths: inout InlineArray<320, UInt8>, _ count: Int
    ) throws(ArchiveError) {
        lengths = InlineArray(repeating: 0)
        var index = 0
        while index < count {
            try refill()
            // The table has an entry for each of 7 bits.
            let entry = unsafe codeLengths.entries[Int(source.bits & 0x7f)]
            guard entry & DecodeTable.exceptional == 0 else {
                throw .corrupt("impossible codes in a compressed block", at: position)
            }
            _ = take(entry & 0xff)
            let symbol = UInt8(truncatingIfNeeded: entry >> 16)
            var value: UInt8 = 0
            var times = 1
            switch symbol {
            case 16:
                guard index > 0 else {
                    throw .corrupt("impossible codes in a compressed block", at: position)
                }
                value = lengths[index - 1]
                times = 3 + Int(take(2))
            case 17: times = 3 + Int(take(3))
            case 18: times = 11 + Int(take(7))
            default: value = symbol
            }
            guard times <= count - index else {
                throw .corrupt("impossible codes in a compressed block", at: position)
            }
            for _ in 0..<times {
                lengths[index] = value
                index += 1
            }
        }
    }
}
