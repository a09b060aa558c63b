// `/dev`: a RAM file system that has a node for every device the kernel knows (devtmpfs). There is one, however
// often it is mounted.

import Primitives

public enum DeviceFileSystem {
    /// The one there is, once it was asked for. Task context.
    private static let made = SpinLock<RAMFileSystem?>(nil)

    /// The file system, with all nodes registered so far.
    public static func shared(_ task: borrowing TaskContext) -> FileSystem {
        if let there = made.withLock({ $0 }) { return there }
        var options = RAMFileSystem.Options()
        options.rootPermissions = 0o755
        let new = RAMFileSystem(options, typeName: "devtmpfs", isPermanent: true)
        let context = NameContext.kernel(
            Path(mount: Mount(new, root: new.root, source: [], flags: []), entry: new.root))
        for node in DeviceRegistry.allNodes { make(node, context, task) }
        // Only the boot and mount(2) under the mount mutex come here.
        return made.withLock { there in
            if let there { return there }
            there = new
            return new
        }
    }

    private static func make(
        _ node: DeviceRegistry.Node, _ context: NameContext, _ task: borrowing TaskContext
    ) {
        for index in node.name.indices where node.name[index] == UInt8(ascii: "/") {
            let above = [UInt8](node.name[..<index])
            _ = try? Names.makeNode(above, mode: FileMode(.directory, 0o755), device: .none, context, task)
        }
        do throws(Errno) {
            _ = try Names.makeNode(node.name, mode: node.mode, device: node.device, context, task)
        } catch {
            printk(.warning, "devtmpfs: cannot make \(node.name): error \(error.code)")
        }
    }

    /// Makes a node for a device that came later; nothing if the file system has not been asked for yet.
    public static func add(_ node: DeviceRegistry.Node, _ task: borrowing TaskContext) {
        guard let fileSystem = made.withLock({ $0 }) else { return }
        let mount = Mount(fileSystem, root: fileSystem.root, source: [], flags: [])
        make(node, .kernel(Path(mount: mount, entry: fileSystem.root)), task)
    }

    /// Makes a directory (`pts`, `shm`) for others to mount on.
    public static func makeDirectory(_ name: StaticString, _ task: borrowing TaskContext) {
        let node = DeviceRegistry.Node(
            name: name.bytes, mode: FileMode(.directory, 0o755), device: .none)
        _ = shared(task)
        add(node, task)
    }
}

/// `mount -t devtmpfs`.
final class DeviceFileSystemType: FileSystemType, @unchecked Sendable {
    init() { super.init(name: "devtmpfs") }

    override func make(
        source: [UInt8], data: [UInt8], _ task: borrowing TaskContext
    ) throws(Errno) -> FileSystem { DeviceFileSystem.shared(task) }
}
