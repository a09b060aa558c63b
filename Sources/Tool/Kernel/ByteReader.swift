// Little-endian numbers and strings out of bytes that may be wrong: each read is checked.

/// Checked reads from an array of bytes.
struct ByteReader {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func u8(_ offset: Int) throws -> UInt8 { try integer(offset) }
    func u16(_ offset: Int) throws -> UInt16 { try integer(offset) }
    func u32(_ offset: Int) throws -> UInt32 { try integer(offset) }
    func u64(_ offset: Int) throws -> UInt64 { try integer(offset) }

    /// A 64-bit number that is a place in or a size of a file, hence below 2^48.
    func offset(_ offset: Int) throws -> Int {
        let value = try u64(offset)
        guard value < 1 << 48 else { throw ToolError("malformed file: offset \(value) is too large") }
        return Int(value)
    }

    /// The bytes from `offset` to the next zero byte.
    func string(at offset: Int) throws -> String {
        guard bytes.indices.contains(offset), let end = bytes[offset...].firstIndex(of: 0) else {
            throw ToolError("malformed file: no string at offset \(offset)")
        }
        return String(decoding: bytes[offset..<end], as: UTF8.self)
    }

    private func integer<Value: FixedWidthInteger>(_ offset: Int) throws -> Value {
        let size = MemoryLayout<Value>.size
        guard offset >= 0, offset <= bytes.count - size else {
            throw ToolError("malformed file: it ends before offset \(offset + size)")
        }
        return bytes[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Value($1) }
    }
}
