// Makes ELF files for tests, right ones and wrong ones.

struct ElfBuilder {
    struct Header {
        var type: UInt32
        var flags: UInt32 = 5
        var offset: UInt64 = 0
        var address: UInt64 = 0x400000
        var fileSize: UInt64 = 0x1000
        var memorySize: UInt64 = 0x1000
        var alignment: UInt64 = 0x1000
    }

    var type: UInt16 = 2
    var machine: UInt16 = 62
    var entry: UInt64 = 0x401000
    var headers: [Header] = []

    static func number(_ value: UInt64, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    var bytes: [UInt8] {
        var out: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        out += Self.number(UInt64(type), 2) + Self.number(UInt64(machine), 2) + Self.number(1, 4)
        out += Self.number(entry, 8) + Self.number(64, 8) + Self.number(0, 8) + Self.number(0, 4)
        out += Self.number(64, 2) + Self.number(56, 2) + Self.number(UInt64(headers.count), 2)
        out += Self.number(64, 2) + Self.number(0, 2) + Self.number(0, 2)
        for header in headers {
            out += Self.number(UInt64(header.type), 4) + Self.number(UInt64(header.flags), 4)
            out += Self.number(header.offset, 8) + Self.number(header.address, 8)
            out += Self.number(header.address, 8) + Self.number(header.fileSize, 8)
            out += Self.number(header.memorySize, 8) + Self.number(header.alignment, 8)
        }
        return out
    }
}
