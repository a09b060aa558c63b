// Numbers in bytes that came from outside: nil where the bytes end too early, never a trap.

extension Span where Element == UInt8 {
    /// The byte at `offset`.
    @inlinable
    public func byte(at offset: Int) -> UInt8? {
        offset >= 0 && offset < count ? self[offset] : nil
    }

    /// A little-endian 16-bit number.
    @inlinable
    public func little16(at offset: Int) -> UInt16? {
        guard offset >= 0, offset <= count &- 2 else { return nil }
        return UInt16(self[offset]) | UInt16(self[offset &+ 1]) << 8
    }

    /// A little-endian 32-bit number.
    @inlinable
    public func little32(at offset: Int) -> UInt32? {
        guard let low = little16(at: offset), let high = little16(at: offset &+ 2) else { return nil }
        return UInt32(low) | UInt32(high) << 16
    }

    /// A little-endian 64-bit number.
    @inlinable
    public func little64(at offset: Int) -> UInt64? {
        guard let low = little32(at: offset), let high = little32(at: offset &+ 4) else { return nil }
        return UInt64(low) | UInt64(high) << 32
    }
}
