import Machine
import Testing

@testable import Primitives

@Suite(.serialized) struct RandomnessTests {
    init() { SimulatedCPU(index: 0).bind() }

    /// RFC 8439, 2.3.2, with the 96-bit nonce split as the original form has it.
    @Test func blockOfTheStandard() {
        var key = ChaCha20.Key(repeating: 0)
        for index in 0..<8 {
            let byte = UInt32(index * 4)
            key[index] = byte | (byte + 1) << 8 | (byte + 2) << 16 | (byte + 3) << 24
        }
        let block = ChaCha20.block(key, counter: 1 | 0x0900_0000 << 32, nonce: 0x4a00_0000)
        let expected: [UInt32] = [
            0xe4e7_f110, 0x1559_3bd1, 0x1fdd_0f50, 0xc471_20a3, 0xc7f4_d1c7, 0x0368_c033, 0x9aaa_2204,
            0x4e6c_d4c3, 0x4664_82d2, 0x09aa_9f07, 0x05d7_c214, 0xa202_8bd9, 0xd19c_12b5, 0xb94e_16de,
            0xe883_d0cb, 0x4e3c_50a2,
        ]
        for index in 0..<16 { #expect(block[index] == expected[index]) }
    }

    static func take(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        Randomness.fill(&span)
        return bytes
    }

    @Test func neverTheSameTwice() {
        Randomness.initialize()
        #expect(Self.take(32) != Self.take(32))
        #expect(Randomness.word() != Randomness.word())
    }

    @Test(arguments: [1, 63, 64, 65, 1000]) func fillsTheWholeSpan(count: Int) {
        // Each byte is zero in only one of 256 runs.
        var seen = [UInt8](repeating: 0, count: count)
        for _ in 0..<8 {
            for (index, byte) in Self.take(count).enumerated() { seen[index] |= byte }
        }
        #expect(!seen.contains(0))
    }

    @Test func bitsAreBalanced() {
        let ones = Self.take(100_000).reduce(0) { $0 + $1.nonzeroBitCount }
        #expect(abs(ones - 400_000) < 3000)
    }

    @Test func whatIsAddedMatters() {
        let before = Self.take(16)
        Randomness.add([1, 2, 3].span)
        Randomness.add([UInt8](repeating: 7, count: 100).span)
        #expect(Self.take(16) != before)
    }
}
