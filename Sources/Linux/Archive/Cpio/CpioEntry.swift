// The header of an entry of a cpio archive in the `newc` format: 110 characters, hexadecimal
// numbers of eight digits (Documentation/driver-api/early-userspace/buffer-format.rst).

/// What the header of an entry says; nothing of it has been checked.
struct CpioEntry {
    static let size = 110

    var inode: UInt32 = 0
    var mode: UInt32 = 0
    var userID: UInt32 = 0
    var groupID: UInt32 = 0
    var links: UInt32 = 0
    /// Seconds since 1970.
    var modificationTime: UInt32 = 0
    var fileSize: UInt32 = 0
    var deviceMajor: UInt32 = 0
    var deviceMinor: UInt32 = 0
    /// Which device a device node stands for.
    var nodeMajor: UInt32 = 0
    var nodeMinor: UInt32 = 0
    /// With the zero at its end.
    var nameSize: UInt32 = 0
    /// Sum of the bytes of the file, in the format with check sums.
    var checkSum: UInt32 = 0
    var hasCheckSum = false

    init() {}

    /// Reads a header; throws what is wrong with it, `offset` from its beginning.
    init(_ bytes: borrowing InlineArray<110, UInt8>) throws(CpioProblem) {
        let magic: StaticString = "07070"
        for index in 0..<5 where unsafe bytes[index] != magic.utf8Start[index] {
            throw CpioProblem("no cpio header")
        }
        switch bytes[5] {
        case UInt8(ascii: "1"): hasCheckSum = false
        case UInt8(ascii: "2"): hasCheckSum = true
        default: throw CpioProblem("unknown cpio format")
        }
        inode = try Self.number(bytes, 0)
        mode = try Self.number(bytes, 1)
        userID = try Self.number(bytes, 2)
        groupID = try Self.number(bytes, 3)
        links = try Self.number(bytes, 4)
        modificationTime = try Self.number(bytes, 5)
        fileSize = try Self.number(bytes, 6)
        deviceMajor = try Self.number(bytes, 7)
        deviceMinor = try Self.number(bytes, 8)
        nodeMajor = try Self.number(bytes, 9)
        nodeMinor = try Self.number(bytes, 10)
        nameSize = try Self.number(bytes, 11)
        checkSum = try Self.number(bytes, 12)
    }

    /// The number at a place in the header.
    private static func number(
        _ bytes: borrowing InlineArray<110, UInt8>, _ place: Int
    ) throws(CpioProblem) -> UInt32 {
        var value: UInt32 = 0
        for index in (6 + place * 8)..<(14 + place * 8) {
            let digit: UInt8
            switch bytes[index] {
            case 48...57: digit = bytes[index] - 48
            case 65...70: digit = bytes[index] - 55
            case 97...102: digit = bytes[index] - 87
            default: throw CpioProblem("no hexadecimal number in a cpio header")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}

/// What is wrong with an archive.
struct CpioProblem: Error {
    let what: StaticString
    let reason: ArchiveError.Reason

    init(_ what: StaticString, _ reason: ArchiveError.Reason = .corrupt) {
        self.what = what
        self.reason = reason
    }
}
