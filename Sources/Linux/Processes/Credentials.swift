// Who a task is: its user and group identities (credentials(7)).
//
// A value: each task has its own copy, changed by itself alone; files keep the copy of their opener.

/// A set of capabilities, bit n for capability n (linux/capability.h). 41 exist in Linux 6.1.
public struct CapabilitySet: Equatable, Sendable {
    public var bits: UInt64
    @inline(__always)
    public init(bits: UInt64) { self.bits = bits }

    public static let last = 40  // CAP_CHECKPOINT_RESTORE
    public static let none = CapabilitySet(bits: 0)
    public static let all = CapabilitySet(bits: (1 << 41) - 1)

    @inline(__always)
    public func contains(_ capability: Capability) -> Bool { bits & (1 << capability.rawValue) != 0 }

    /// The number of any capability, known to the kernel or not; below 64.
    struct Number {
        fileprivate let bit: UInt64
        init(_ number: UInt64) { bit = 1 << (number & 63) }
    }

    func contains(_ number: Number) -> Bool { bits & number.bit != 0 }
    mutating func insert(_ number: Number) { bits |= number.bit }
    mutating func remove(_ number: Number) { bits &= ~number.bit }

    @inline(__always)
    public func isSubset(of other: Self) -> Bool { bits & ~other.bits == 0 }
}

/// The capabilities that the kernel asks for.
public enum Capability: UInt64, Sendable {
    case kill = 5  // CAP_KILL
    case setGroupID = 6  // CAP_SETGID
    case setUserID = 7  // CAP_SETUID
    case setCapabilities = 8  // CAP_SETPCAP
    case lockMemory = 14  // CAP_IPC_LOCK
    case rawInputOutput = 17  // CAP_SYS_RAWIO
    case changeRoot = 18  // CAP_SYS_CHROOT
    case administration = 21  // CAP_SYS_ADMIN
    case reboot = 22  // CAP_SYS_BOOT
    case nice = 23  // CAP_SYS_NICE
    case resource = 24  // CAP_SYS_RESOURCE
    case time = 25  // CAP_SYS_TIME
    case systemLog = 34  // CAP_SYSLOG
}

/// User and group identities and capabilities.
public struct Credentials: Sendable {
    public var userID: UInt32 = 0
    public var effectiveUserID: UInt32 = 0
    public var savedUserID: UInt32 = 0
    public var groupID: UInt32 = 0
    public var effectiveGroupID: UInt32 = 0
    public var savedGroupID: UInt32 = 0
    /// What file permissions are checked against (setfsuid(2)); follows the effective identity.
    public var fileUserID: UInt32 = 0
    public var fileGroupID: UInt32 = 0
    /// Supplementary groups, at most `maximumGroups`, sorted.
    public private(set) var groups: [UInt32] = []

    public var permitted = CapabilitySet.all
    public var effective = CapabilitySet.all
    public var inheritable = CapabilitySet.none
    public var bounding = CapabilitySet.all
    public var ambient = CapabilitySet.none
    /// `prctl(PR_SET_SECUREBITS)`.
    public var secureBits: UInt32 = 0

    public static let maximumGroups = 65536

    /// The superuser's.
    public init() {}

    /// Replaces the supplementary groups.
    public mutating func setGroups(_ new: [UInt32]) { groups = new.sorted() }

    private static let keepCapabilities: UInt32 = 1 << 4  // SECBIT_KEEP_CAPS

    /// Capabilities survive giving up user 0 (`PR_SET_KEEPCAPS`).
    var keepsCapabilities: Bool {
        get { secureBits & Self.keepCapabilities != 0 }
        set { secureBits = secureBits & ~Self.keepCapabilities | (newValue ? Self.keepCapabilities : 0) }
    }

    /// Whether `capability` is in force.
    @inline(__always)
    public func has(_ capability: Capability) -> Bool { effective.contains(capability) }

    /// Any privileged operation.
    @inline(__always)
    public var isPrivileged: Bool { effectiveUserID == 0 }

    /// Privileged operations on files (CAP_DAC_OVERRIDE, CAP_FOWNER, ...).
    @inline(__always)
    public var isPrivilegedForFiles: Bool { fileUserID == 0 }

    /// Member of `group`, for file permissions. Logarithmic in the number of groups.
    public func isMember(of group: UInt32) -> Bool {
        if group == fileGroupID { return true }
        var low = 0
        var high = groups.count
        while low < high {
            let middle = (low &+ high) >> 1
            if groups[middle] < group { low = middle &+ 1 } else { high = middle }
        }
        return low < groups.count && groups[low] == group
    }
}
