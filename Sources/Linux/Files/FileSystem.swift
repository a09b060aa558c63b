// A mounted or mountable tree of files: what Linux calls a super block.
//
// Invariants: `root` is set once, by the initializer of the subclass or right after it.

import Primitives
import Synchronization

/// Base of all file systems.
public class FileSystem: @unchecked Sendable {
    /// Its type as `/proc/mounts` shows it, for instance `tmpfs`.
    public let typeName: StaticString
    /// Number that stat(2) shows as `st_dev`; anonymous file systems have major number 0.
    public let device: DeviceNumber
    public let blockSize = 4096
    private var rootEntry: PathEntry? = nil

    /// Mounts of it.
    private let mounts = Atomic<Int>(0)
    /// Stays when its last mount goes: there is one of it, made at boot.
    public var isPermanent: Bool { false }

    /// Where a name that is not there cannot even be looked up to be made: `/proc`.
    public var knowsAllNames: Bool { false }

    private static let anonymousDevices = Atomic<UInt32>(1)

    public init(typeName: StaticString) {
        self.typeName = typeName
        let minor = Self.anonymousDevices.wrappingAdd(1, ordering: .relaxed).oldValue
        device = DeviceNumber(major: 0, minor: minor)
    }

    /// The entry of the topmost directory.
    public final var root: PathEntry {
        get { rootEntry! }
        set { rootEntry = newValue }
    }

    /// What statfs(2) shows.
    public func statistics(_ task: borrowing TaskContext) throws(Errno) -> FileSystemStatistics {
        FileSystemStatistics()
    }

    /// Takes over other options (`mount -o remount`).
    public func reconfigure(_ data: [UInt8]) throws(Errno) {}

    /// Mount options beside `rw`, for instance `,size=1024k`.
    public var optionText: [UInt8] { [] }

    /// The last mount is gone, and all files in it are closed: lets go of what makes cycles of references. Any task
    /// context, does not sleep.
    public func unmounted() { root.dissolve() }

    func mountCame() { mounts.wrappingAdd(1, ordering: .relaxed) }

    func mountWentAway() {
        if mounts.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0, !isPermanent {
            unmounted()
        }
    }
}
