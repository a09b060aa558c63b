// What the symbols of DEFLATE mean (RFC 1951, 3.2.5 and 3.2.7), as entries of a decoding table without the
// length of their codes.

@safe struct SymbolMeanings: ~Copyable {
    /// 288 literals and lengths, 32 distances, 19 lengths of codes, in one allocation of this value's.
    let literals: UnsafeMutablePointer<UInt32>
    let distances: UnsafeMutablePointer<UInt32>
    let codeLengths: UnsafeMutablePointer<UInt32>

    init() {
        unsafe literals = .allocate(capacity: 288 + 32 + 19)
        unsafe distances = literals + 288
        unsafe codeLengths = distances + 32
        // Each pointer has the number of entries written to it.
        for byte in 0..<256 { unsafe literals[byte] = DecodeTable.literal | UInt32(byte) << 16 }
        unsafe literals[256] = DecodeTable.exceptional | DecodeTable.endOfBlock
        Self.describe(from: 3, doubleEvery: 4) { index, base, extra in
            guard index < 28 else { return false }
            unsafe literals[257 + index] = base << 16 | extra | (extra > 0 ? DecodeTable.extraBits : 0)
            return true
        }
        unsafe literals[285] = 258 << 16
        for symbol in 286..<288 { unsafe literals[symbol] = DecodeTable.exceptional }
        Self.describe(from: 1, doubleEvery: 2) { index, base, extra in
            guard index < 30 else { return false }
            unsafe distances[index] = base << 16 | extra | (extra > 0 ? DecodeTable.extraBits : 0)
            return true
        }
        for symbol in 30..<32 { unsafe distances[symbol] = DecodeTable.exceptional }
        for symbol in 0..<19 { unsafe codeLengths[symbol] = UInt32(symbol) << 16 }
    }

    deinit { unsafe literals.deallocate() }

    /// The pattern of lengths and distances: two groups without extra bits, then one more bit each group.
    private static func describe(
        from first: UInt32, doubleEvery group: Int, _ body: (Int, UInt32, UInt32) -> Bool
    ) {
        var base = first
        var index = 0
        while true {
            let extra = UInt32(max(index / group - 1, 0))
            guard body(index, base, extra) else { return }
            base += 1 << extra
            index += 1
        }
    }
}
