// The ChaCha20 block function (RFC 8439, 2.3), in its original form with a 64-bit counter and nonce.

enum ChaCha20 {
    typealias Key = InlineArray<8, UInt32>
    typealias Block = InlineArray<16, UInt32>

    /// 64 bytes of key stream. About 500 instructions; any context.
    static func block(_ key: Key, counter: UInt64, nonce: UInt64) -> Block {
        // "expand 32-byte k"
        var start: Block = [
            0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]
        for index in 0..<8 { start[4 + index] = key[index] }
        start[12] = UInt32(truncatingIfNeeded: counter)
        start[13] = UInt32(truncatingIfNeeded: counter >> 32)
        start[14] = UInt32(truncatingIfNeeded: nonce)
        start[15] = UInt32(truncatingIfNeeded: nonce >> 32)
        var state = start
        for _ in 0..<10 { doubleRound(&state) }
        for index in 0..<16 { state[index] = state[index] &+ start[index] }
        return state
    }

    @inline(__always)
    private static func doubleRound(_ state: inout Block) {
        quarterRound(&state, 0, 4, 8, 12)
        quarterRound(&state, 1, 5, 9, 13)
        quarterRound(&state, 2, 6, 10, 14)
        quarterRound(&state, 3, 7, 11, 15)
        quarterRound(&state, 0, 5, 10, 15)
        quarterRound(&state, 1, 6, 11, 12)
        quarterRound(&state, 2, 7, 8, 13)
        quarterRound(&state, 3, 4, 9, 14)
    }

    @inline(__always)
    private static func quarterRound(_ s: inout Block, _ a: Int, _ b: Int, _ c: Int, _ d: Int) {
        s[a] = s[a] &+ s[b]
        s[d] = rotate(s[d] ^ s[a], 16)
        s[c] = s[c] &+ s[d]
        s[b] = rotate(s[b] ^ s[c], 12)
        s[a] = s[a] &+ s[b]
        s[d] = rotate(s[d] ^ s[a], 8)
        s[c] = s[c] &+ s[d]
        s[b] = rotate(s[b] ^ s[c], 7)
    }

    @inline(__always)
    private static func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 {
        word << bits | word >> (32 &- bits)
    }
}
