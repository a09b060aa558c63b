// The flags of open(2) and of an open file description (asm-generic/fcntl.h).

public struct OpenFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let writeOnly = OpenFlags(rawValue: 0o1)
    public static let readWrite = OpenFlags(rawValue: 0o2)
    public static let create = OpenFlags(rawValue: 0o100)
    public static let exclusive = OpenFlags(rawValue: 0o200)
    public static let noControllingTerminal = OpenFlags(rawValue: 0o400)
    public static let truncate = OpenFlags(rawValue: 0o1000)
    public static let append = OpenFlags(rawValue: 0o2000)
    public static let nonBlocking = OpenFlags(rawValue: 0o4000)
    public static let dataSync = OpenFlags(rawValue: 0o10000)
    public static let asynchronous = OpenFlags(rawValue: 0o20000)
    public static let direct = OpenFlags(rawValue: 0o40000)
    public static let largeFile = OpenFlags(rawValue: 0o100000)
    public static let directory = OpenFlags(rawValue: 0o200000)
    public static let noFollow = OpenFlags(rawValue: 0o400000)
    public static let noAccessTime = OpenFlags(rawValue: 0o1000000)
    public static let closeOnExec = OpenFlags(rawValue: 0o2000000)
    public static let sync = OpenFlags(rawValue: 0o4010000)
    public static let path = OpenFlags(rawValue: 0o10000000)
    /// O_TMPFILE without O_DIRECTORY, which always comes with it.
    public static let temporary = OpenFlags(rawValue: 0o20000000)

    /// The part that fcntl(F_SETFL) can change.
    static let settable: OpenFlags = [.append, .nonBlocking, .asynchronous, .direct, .noAccessTime]
    /// The part that concerns only the opening itself and is forgotten afterwards.
    static let openingOnly: OpenFlags = [
        .create, .exclusive, .noControllingTerminal, .truncate, .closeOnExec,
    ]

    /// 0 read, 1 write, 2 both, 3 neither (only ioctl), as in the low bits.
    @inline(__always)
    var accessMode: UInt32 { rawValue & 3 }

    /// What the file must allow for these flags.
    var neededAccess: FileAccess {
        var access: FileAccess = []
        switch accessMode {
        case 0: access = .read
        case 1: access = .write
        default: access = [.read, .write]
        }
        if contains(.truncate) { access.insert(.write) }
        return access
    }
}
