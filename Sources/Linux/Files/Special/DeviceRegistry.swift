// Which driver answers for which device number, and the names that devices have in `/dev`.

import Primitives

/// Opens the devices of one kind. A driver overrides `open`.
open class DeviceDriver: @unchecked Sendable {
    public init() {}

    /// Opens the device that `inode` stands for.
    open func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File { throw .noSuchDevice }
}

public enum DeviceRegistry {
    /// Drivers by device number, one tree for character and one for block devices; each holds its reference for ever.
    private struct Drivers: ~Copyable {
        var character = RadixTree()
        var block = RadixTree()
    }

    /// A device's name in `/dev`.
    public struct Node: Sendable {
        public let name: [UInt8]
        public let mode: FileMode
        public let device: DeviceNumber
    }

    /// Task context; nothing sleeps under it.
    private static let drivers = SpinLock(Drivers())
    private static let nodes = SpinLock<[Node]>([])

    /// Says who opens a device; replaces who did before. `kind` is a character or a block device.
    public static func register(_ kind: FileKind, _ device: DeviceNumber, _ driver: DeviceDriver) {
        // Drivers are never unregistered: the reference is kept.
        let word = unsafe UInt(bitPattern: Unmanaged.passRetained(driver).toOpaque())
        drivers.withLock { drivers in
            if kind == .blockDevice {
                _ = drivers.block.set(UInt(device.encoded), word)
            } else {
                _ = drivers.character.set(UInt(device.encoded), word)
            }
        }
    }

    /// The same, and gives the device a name in `/dev`. `name` may have directories in it.
    public static func register(
        _ kind: FileKind, _ device: DeviceNumber, name: StaticString, permissions: UInt32,
        _ driver: DeviceDriver
    ) {
        register(kind, device, driver)
        // A static string with a pointer representation is UTF-8 code units for its whole life.
        let bytes = unsafe [UInt8](UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        addNode(bytes, kind, device, permissions: permissions)
    }

    /// A name in `/dev` for a device; `/dev` is filled from these when it is made.
    public static func addNode(_ name: [UInt8], _ kind: FileKind, _ device: DeviceNumber, permissions: UInt32)
    {
        nodes.withLock { $0.append(Node(name: name, mode: FileMode(kind, permissions), device: device)) }
    }

    /// All names, in the order of registration.
    public static var allNodes: [Node] { nodes.withLock { $0 } }

    /// Opens a device node; ENXIO where there is no driver.
    static func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        let index = UInt(inode.deviceNumber.encoded)
        let word = drivers.withLock { drivers in
            inode.kind == .blockDevice ? drivers.block[index] : drivers.character[index]
        }
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: word) else { throw .noSuchDevice }
        // The registry keeps a reference for ever.
        let driver = unsafe Unmanaged<DeviceDriver>.fromOpaque(pointer).takeUnretainedValue()
        return try driver.open(inode, path, flags, task)
    }
}
