// What kind a file is and who may do what with it (inode(7)).

/// The kind of a file; the raw value is the format part of a mode (`S_IFMT`), 4 bits down by 12.
public enum FileKind: UInt8, Sendable {
    case fifo = 1
    case characterDevice = 2
    case directory = 4
    case blockDevice = 6
    case regular = 8
    case symbolicLink = 10
    case socket = 12
    /// Files with no place in any file system: event counters, timers (`anon_inode`).
    case anonymous = 0

    /// The number that `getdents64` reports (`DT_*`).
    @inline(__always)
    public var directoryEntryType: UInt8 { rawValue }
}

/// Kind and permissions of a file in one number, as `st_mode` shows them.
public struct FileMode: Equatable, Sendable {
    public var bits: UInt32

    @inline(__always)
    public init(bits: UInt32) { self.bits = bits }

    /// Permissions may hold set-user-ID, set-group-ID and sticky bits.
    @inline(__always)
    public init(_ kind: FileKind, _ permissions: UInt32) {
        bits = UInt32(kind.rawValue) << 12 | permissions & 0o7777
    }

    /// Nil where the format part says nothing known.
    @inline(__always)
    public var kind: FileKind? { FileKind(rawValue: UInt8(truncatingIfNeeded: bits >> 12 & 15)) }

    @inline(__always)
    public var permissions: UInt32 { bits & 0o7777 }

    public static let setUserID: UInt32 = 0o4000
    public static let setGroupID: UInt32 = 0o2000
    public static let sticky: UInt32 = 0o1000
    public static let groupExecute: UInt32 = 0o010
    public static let anyExecute: UInt32 = 0o111
}

/// Kinds of access that permissions allow or deny (`MAY_*`, the numbers of access(2)).
public struct FileAccess: OptionSet, Sendable {
    public let rawValue: UInt32
    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let execute = FileAccess(rawValue: 1)
    public static let write = FileAccess(rawValue: 2)
    public static let read = FileAccess(rawValue: 4)
}

/// Number of a device (`dev_t` as the kernel's system calls pass it: 12 bits major, 20 bits minor).
public struct DeviceNumber: Equatable, Sendable {
    public let major: UInt32
    public let minor: UInt32

    @inline(__always)
    public init(major: UInt32, minor: UInt32) {
        self.major = major & 0xfff
        self.minor = minor & 0xfffff
    }

    /// From the number that mknod(2) and stat(2) use (`new_encode_dev`).
    @inline(__always)
    public init(encoded: UInt32) {
        self.init(major: encoded >> 8 & 0xfff, minor: encoded & 0xff | encoded >> 12 & 0xfff00)
    }

    /// The number that mknod(2) and stat(2) use.
    @inline(__always)
    public var encoded: UInt32 { minor & 0xff | major << 8 | (minor & 0xfff00) << 12 }

    public static let none = DeviceNumber(major: 0, minor: 0)
}
