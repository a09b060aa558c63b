// The structures in which the stat family answers (asm/stat.h, linux/stat.h, asm-generic/statfs.h).

import Primitives

/// Seconds and nanoseconds of a time in nanoseconds since 1970, which may lie before.
@inline(__always)
func splitTime(_ time: Int64) -> (seconds: Int64, nanoseconds: Int64) {
    let seconds = time >= 0 ? time / 1_000_000_000 : (time &- 999_999_999) / 1_000_000_000
    return (seconds, time &- seconds &* 1_000_000_000)
}

/// `struct stat`: 144 bytes.
struct StatusRecord: BitwiseCopyable {
    var device: UInt64
    var number: UInt64
    var links: UInt64
    var mode: UInt32
    var userID: UInt32
    var groupID: UInt32
    var padding: UInt32 = 0
    var deviceNumber: UInt64
    var size: Int
    var blockSize: Int
    var blocks: Int
    var accessSeconds: Int64
    var accessNanoseconds: Int64
    var modificationSeconds: Int64
    var modificationNanoseconds: Int64
    var changeSeconds: Int64
    var changeNanoseconds: Int64
    var unused = InlineArray<3, Int64>(repeating: 0)

    init(_ statistics: FileStatistics) {
        device = UInt64(statistics.device.encoded)
        number = statistics.number
        links = UInt64(statistics.links)
        mode = statistics.mode.bits
        userID = statistics.userID
        groupID = statistics.groupID
        deviceNumber = UInt64(statistics.deviceNumber.encoded)
        size = statistics.size
        blockSize = statistics.blockSize
        blocks = statistics.blocks
        (accessSeconds, accessNanoseconds) = splitTime(statistics.accessTime)
        (modificationSeconds, modificationNanoseconds) = splitTime(statistics.modificationTime)
        (changeSeconds, changeNanoseconds) = splitTime(statistics.changeTime)
    }
}

/// `struct statx`: 256 bytes.
struct ExtendedStatusRecord: BitwiseCopyable {
    /// `struct statx_timestamp`.
    struct Stamp: BitwiseCopyable {
        var seconds: Int64 = 0
        var nanoseconds: UInt32 = 0
        var reserved: Int32 = 0

        init(_ time: Int64) {
            let (seconds, nanoseconds) = splitTime(time)
            self.seconds = seconds
            self.nanoseconds = UInt32(truncatingIfNeeded: nanoseconds)
        }
    }

    /// STATX_BASIC_STATS.
    var mask: UInt32 = 0x7ff
    var blockSize: UInt32
    var attributes: UInt64 = 0
    var links: UInt32
    var userID: UInt32
    var groupID: UInt32
    var mode: UInt16
    var spare: UInt16 = 0
    var number: UInt64
    var size: UInt64
    var blocks: UInt64
    var attributesMask: UInt64 = 0
    var accessTime: Stamp
    var creationTime = Stamp(0)
    var changeTime: Stamp
    var modificationTime: Stamp
    var nodeMajor: UInt32
    var nodeMinor: UInt32
    var deviceMajor: UInt32
    var deviceMinor: UInt32
    var rest = InlineArray<14, UInt64>(repeating: 0)

    init(_ statistics: FileStatistics) {
        blockSize = UInt32(truncatingIfNeeded: statistics.blockSize)
        links = statistics.links
        userID = statistics.userID
        groupID = statistics.groupID
        mode = UInt16(truncatingIfNeeded: statistics.mode.bits)
        number = statistics.number
        size = UInt64(bitPattern: Int64(statistics.size))
        blocks = UInt64(bitPattern: Int64(statistics.blocks))
        accessTime = Stamp(statistics.accessTime)
        changeTime = Stamp(statistics.changeTime)
        modificationTime = Stamp(statistics.modificationTime)
        nodeMajor = statistics.deviceNumber.major
        nodeMinor = statistics.deviceNumber.minor
        deviceMajor = statistics.device.major
        deviceMinor = statistics.device.minor
    }
}

/// `struct statfs`: 120 bytes.
struct FileSystemRecord: BitwiseCopyable {
    var magic: Int
    var blockSize: Int
    var blocks: UInt64
    var freeBlocks: UInt64
    var availableBlocks: UInt64
    var files: UInt64
    var freeFiles: UInt64
    var identifier: UInt64
    var nameLimit: Int
    var fragmentSize: Int
    var flags: Int
    var spare = InlineArray<4, Int>(repeating: 0)

    /// ST_VALID: the flags are.
    private static let valid = 0x20
    private static let relativeAccessTime = 0x1000

    init(_ statistics: FileSystemStatistics, device: DeviceNumber, flags mount: MountFlags) {
        magic = statistics.magic
        blockSize = statistics.blockSize
        blocks = statistics.blocks
        freeBlocks = statistics.freeBlocks
        availableBlocks = statistics.freeBlocks
        files = statistics.files
        freeFiles = statistics.freeFiles
        identifier = UInt64(device.encoded)
        nameLimit = statistics.nameLimit
        fragmentSize = statistics.blockSize
        // The low flags have the same numbers as mount's.
        flags = Int(mount.rawValue & 0xc1f) | Self.valid
        if mount.isDisjoint(with: [.noAccessTime, .strictAccessTime]) { flags |= Self.relativeAccessTime }
    }
}

/// `struct ustat`: 32 bytes.
struct UniversalStatusRecord: BitwiseCopyable {
    var freeBlocks: Int32 = 0
    var padding: Int32 = 0
    var freeFiles: UInt64 = 0
    var names = InlineArray<2, UInt64>(repeating: 0)
}
