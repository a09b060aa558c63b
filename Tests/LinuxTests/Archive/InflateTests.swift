import Testing

@testable import Linux

@Suite struct ArchiveInflateTests {
    @Test(arguments: [1, 6, 9])
    func whatGzipPacksComesOut(level: Int) throws {
        for (index, count) in [0, 1, 7, 8, 100, 5000, 131071, 400_000, 1_000_000].enumerated() {
            let bytes = Sample.mixed(count, seed: UInt64(index + level * 100))
            #expect(try gunzip(Sample.gzip(bytes, level: level)) == bytes)
        }
    }

    @Test func incompressibleBytesAreStored() throws {
        var random = SeededGenerator(5)
        let bytes = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        #expect(try gunzip(Sample.gzip(bytes)) == bytes)
    }

    @Test func longRuns() throws {
        for period in 1...20 {
            let bytes = (0..<200_000).map { UInt8($0 % period) }
            #expect(try gunzip(Sample.gzip(bytes, level: 9)) == bytes)
        }
    }

    /// "hello" in a block with the fixed codes, as RFC 1951 makes it.
    @Test func fixedCodes() throws {
        let raw: [UInt8] = [0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]
        let whole = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + raw + [0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0]
        #expect(try gunzip(whole) == [UInt8]("hello".utf8))
    }

    @Test func headersWithNamesAndComments() throws {
        let packed = try Sample.gzip([1, 2, 3])
        let whole =
            [0x1f, 0x8b, 8, 0x1e] + packed[4..<10] + [2, 0, 9, 9, 97, 98, 0, 99, 0, 7, 7] + packed[10...]
        #expect(try gunzip(whole) == [1, 2, 3])
    }

    @Test func everyTruncationIsFound() throws {
        let packed = try Sample.gzip(Sample.mixed(3000, seed: 3))
        for count in 0..<packed.count {
            #expect(throws: ArchiveError.self, "\(count) bytes") { try gunzip([UInt8](packed[..<count])) }
        }
    }

    /// A wrong byte is found, wherever it is: by the codes or by the check sum. Only the bits that fill up
    /// the last byte of the codes mean nothing, and change nothing.
    @Test func everyWrongByteIsFound() throws {
        let bytes = Sample.mixed(1000, seed: 4)
        let packed = try Sample.gzip(bytes)
        var random = SeededGenerator(6)
        for index in 10..<packed.count {
            var wrong = packed
            wrong[index] ^= UInt8.random(in: 1...255, using: &random)
            if index == packed.count - 9, let result = try? gunzip(wrong) {
                #expect(result == bytes)
                continue
            }
            #expect(throws: ArchiveError.self, "byte \(index)") { try gunzip(wrong) }
        }
    }

    @Test func noiseIsNoStream() {
        var random = SeededGenerator(7)
        for _ in 0..<5000 {
            let noise = (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(throws: ArchiveError.self) { try gunzip([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + noise) }
        }
    }

    @Test func checkSumInPieces() {
        let bytes = Sample.mixed(200_000, seed: 8)
        var plain: UInt32 = ~0
        for byte in bytes {
            plain ^= UInt32(byte)
            for _ in 0..<8 { plain = plain >> 1 ^ (plain & 1 == 0 ? 0 : 0xedb8_8320) }
        }
        for seed in 1...5 {
            var random = SeededGenerator(UInt64(seed))
            var sum = CRC32()
            var at = 0
            while at < bytes.count {
                let count = min(Int.random(in: 0...(seed == 1 ? 9 : 90000), using: &random), bytes.count - at)
                unsafe bytes[at..<(at + count)].withUnsafeBytes { unsafe sum.add($0) }
                at += count
            }
            #expect(sum.value == ~plain)
        }
        let empty = CRC32()
        #expect(empty.value == 0)
        var short = CRC32()
        unsafe [UInt8]("hello".utf8).withUnsafeBytes { unsafe short.add($0) }
        #expect(short.value == 0x3610_a686)
    }
}
