// `mount -t tmpfs`, with its options (tmpfs(5)).

import Memory
import Primitives

final class RAMFileSystemType: FileSystemType, @unchecked Sendable {
    override func make(
        source: [UInt8], data: [UInt8], _ task: borrowing TaskContext
    ) throws(Errno) -> FileSystem {
        var options = RAMFileSystem.Options()
        try options.parse(data)
        return RAMFileSystem(options, typeName: name)
    }
}

extension RAMFileSystem.Options {
    /// Takes over what a text like `size=10m,mode=755` says; EINVAL for what is not known.
    mutating func parse(_ text: [UInt8]) throws(Errno) {
        for word in text.split(separator: UInt8(ascii: ",")) {
            let equals = word.firstIndex(of: UInt8(ascii: "=")) ?? word.endIndex
            let key = [UInt8](word[..<equals])
            let value = [UInt8](word[equals...].dropFirst())
            try set(key.span, value)
        }
    }

    private mutating func set(_ key: Span<UInt8>, _ value: [UInt8]) throws(Errno) {
        if key.equals("size") {
            pageLimit = try Self.bytes(value) / 4096
        } else if key.equals("nr_blocks") {
            pageLimit = try Self.number(value)
        } else if key.equals("nr_inodes") {
            nodeLimit = try Self.number(value)
        } else if key.equals("mode") {
            rootPermissions = UInt32(truncatingIfNeeded: try Self.number(value, radix: 8)) & 0o7777
        } else if key.equals("uid") {
            userID = UInt32(truncatingIfNeeded: try Self.number(value))
        } else if key.equals("gid") {
            groupID = UInt32(truncatingIfNeeded: try Self.number(value))
        } else if !key.equals("huge"), !key.equals("mpol"), !key.equals("inode64") {
            throw .invalid
        }
    }

    /// A number of bytes, with `k`, `m`, `g` behind it, or with `%` a part of the memory. 0: as much as there is.
    private static func bytes(_ text: [UInt8]) throws(Errno) -> Int {
        if text.last == UInt8(ascii: "%") {
            let percent = try number([UInt8](text.dropLast()))
            guard percent <= 1000 else { throw .invalid }
            return Frames.totalCount / 100 * percent * 4096
        }
        let size = try number(text)
        return size == 0 ? Frames.totalCount * 4096 : size &+ 4095 & ~4095
    }

    private static func number(_ text: [UInt8], radix: Int = 10) throws(Errno) -> Int {
        guard !text.isEmpty else { throw .invalid }
        var value = 0
        var shift = 0
        for (index, byte) in text.enumerated() {
            switch byte | 0x20 {
            case UInt8(ascii: "k") where index == text.count - 1 && index > 0: shift = 10
            case UInt8(ascii: "m") where index == text.count - 1 && index > 0: shift = 20
            case UInt8(ascii: "g") where index == text.count - 1 && index > 0: shift = 30
            default:
                let digit = Int(byte) - 48
                guard digit >= 0, digit < radix, value < 1 << 50 else { throw .invalid }
                value = value * radix + digit
            }
        }
        guard value < 1 << (50 - shift) else { throw .invalid }
        return value << shift
    }
}
