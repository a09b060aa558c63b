// Little-endian numbers out of bytes that nobody has checked.

/// Reads numbers at offsets; outside the bytes there is nothing to read and the answer is nil.
struct ByteReader: ~Escapable {
    private let bytes: Span<UInt8>

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    var count: Int { bytes.count }

    func number(at offset: Int, bytes width: Int) -> UInt64? {
        guard offset >= 0, width <= bytes.count, offset <= bytes.count - width else { return nil }
        var value: UInt64 = 0
        for index in 0..<width { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        return value
    }

    func uint16(at offset: Int) -> UInt16? { number(at: offset, bytes: 2).map { UInt16($0) } }
    func uint32(at offset: Int) -> UInt32? { number(at: offset, bytes: 4).map { UInt32($0) } }
    func uint64(at offset: Int) -> UInt64? { number(at: offset, bytes: 8) }
}
