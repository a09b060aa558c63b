// One member of a gzip file (RFC 1952): header, compressed data, check sum and length.

enum Gzip {
    /// Whether a gzip member begins at `position`.
    static func begins(_ input: UnsafeRawBufferPointer, at position: Int) -> Bool {
        guard position >= 0, input.count &- position >= 2 else { return false }
        return unsafe input[position] == 0x1f && input[position &+ 1] == 0x8b
    }

    /// Decompresses the member at `start`; `consume` gets the output piece by piece. Returns the position after
    /// the member. Output may have been consumed before the check at the end fails.
    static func decompress(
        _ input: UnsafeRawBufferPointer, from start: Int,
        _ consume: (UnsafeRawBufferPointer, Int) throws(ArchiveError) -> Void
    ) throws(ArchiveError) -> Int {
        var header = unsafe Bytes(input, start)
        try skipHeader(&header)
        var inflater = unsafe Inflater(input, from: header.position)
        var check = CRC32()
        var size: UInt32 = 0
        let end = try unsafe inflater.run { (bytes, position) throws(ArchiveError) in
            unsafe check.add(bytes)
            size &+= UInt32(truncatingIfNeeded: bytes.count)
            try unsafe consume(bytes, position)
        }
        var trailer = unsafe Bytes(input, end)
        guard try trailer.number() == check.value else { throw .corrupt("check sum does not match", at: end) }
        guard try trailer.number() == size else { throw .corrupt("length does not match", at: end &+ 4) }
        return trailer.position
    }

    private static func skipHeader(_ header: inout Bytes) throws(ArchiveError) {
        try header.skip(2)
        guard try header.next() == 8 else {
            throw .corrupt("unknown compression method", at: header.position - 1)
        }
        let flags = try header.next()
        guard flags & 0xe0 == 0 else { throw .corrupt("unknown gzip flags", at: header.position - 1) }
        try header.skip(6)  // time, extra flags, system
        if flags & 4 != 0 {
            let low = try header.next()
            let high = try header.next()
            try header.skip(Int(low) | Int(high) << 8)
        }
        if flags & 8 != 0 { while try header.next() != 0 {} }  // name
        if flags & 16 != 0 { while try header.next() != 0 {} }  // comment
        if flags & 2 != 0 { try header.skip(2) }  // check sum of the header
    }

    /// Reads bytes, and throws at the end.
    @safe private struct Bytes {
        let input: UnsafeRawBufferPointer
        var position: Int

        init(_ input: UnsafeRawBufferPointer, _ position: Int) {
            unsafe self.input = input
            self.position = position
        }

        mutating func next() throws(ArchiveError) -> UInt8 {
            guard unsafe position < input.count else {
                throw unsafe .corrupt("compressed data ends too early", at: input.count)
            }
            defer { position &+= 1 }
            return unsafe input[position]
        }

        mutating func skip(_ count: Int) throws(ArchiveError) {
            guard unsafe count <= input.count &- position else {
                throw unsafe .corrupt("compressed data ends too early", at: input.count)
            }
            position &+= count
        }

        mutating func number() throws(ArchiveError) -> UInt32 {
            var value: UInt32 = 0
            for shift in stride(from: UInt32(0), to: 32, by: 8) { value |= UInt32(try next()) << shift }
            return value
        }
    }
}
