// What stat(2), statx(2) and statfs(2) tell about a file and its file system.

/// What an inode tells about itself.
public struct FileStatistics: Sendable {
    public var number: UInt64 = 0
    public var mode = FileMode(bits: 0)
    public var userID: UInt32 = 0
    public var groupID: UInt32 = 0
    public var links: UInt32 = 1
    public var device = DeviceNumber.none
    public var deviceNumber = DeviceNumber.none
    /// Bytes.
    public var size: Int = 0
    /// Units of 512 bytes.
    public var blocks: Int = 0
    public var blockSize: Int = 4096
    /// Nanoseconds since 1970.
    public var accessTime: Int64 = 0
    public var modificationTime: Int64 = 0
    public var changeTime: Int64 = 0
    public var creationTime: Int64 = 0

    public init() {}
}

/// What a file system tells about itself (`struct statfs`).
public struct FileSystemStatistics: Sendable {
    /// The magic number that tells kinds of file systems apart (linux/magic.h).
    public var magic: Int = 0
    public var blockSize: Int = 4096
    public var blocks: UInt64 = 0
    public var freeBlocks: UInt64 = 0
    public var files: UInt64 = 0
    public var freeFiles: UInt64 = 0
    public var nameLimit: Int = 255

    public init() {}
}
