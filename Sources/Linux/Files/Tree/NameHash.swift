// The hash of a name in a directory.

enum NameHash {
    /// FNV-1a over the bytes, folded; a few instructions a byte.
    static func of(_ name: Span<UInt8>) -> UInt32 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in name.indices {
            hash = (hash ^ UInt64(name[index])) &* 0x100_0000_01b3
        }
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }
}
