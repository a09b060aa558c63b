// The root of the tree at boot: a RAM file system, filled from the initial ramdisk.

import Memory
import Primitives
import Time

public enum RootFileSystem {
    /// Makes the root file system with what Linux's own has in any case (`/dev`, `/dev/console`, `/root`) and mounts
    /// it. Once, at boot. Three quarters of the memory at most.
    public static func make(_ task: borrowing TaskContext) -> Path {
        // Set once, before there is a second thread that stamps files.
        unsafe FileClock.source = { Int64(truncatingIfNeeded: Clock.realtime) }
        var options = RAMFileSystem.Options()
        options.pageLimit = Frames.totalCount / 4 * 3
        options.nodeLimit = Frames.totalCount / 2
        options.rootPermissions = 0o755
        let fileSystem = RAMFileSystem(options, typeName: "rootfs", isPermanent: true)
        let root = Names.mountRoot(fileSystem, source: [UInt8]("rootfs".utf8), task)
        make("/dev", FileMode(.directory, 0o755), .none, root, task)
        make("/dev/console", FileMode(.characterDevice, 0o600), DeviceNumber(major: 5, minor: 1), root, task)
        make("/root", FileMode(.directory, 0o700), .none, root, task)
        FileSystemType.register(RAMFileSystemType(name: "tmpfs"))
        FileSystemType.register(RAMFileSystemType(name: "ramfs"))
        FileSystemType.register(DeviceFileSystemType())
        return root
    }

    private static func make(
        _ name: StaticString, _ mode: FileMode, _ device: DeviceNumber, _ root: Path,
        _ task: borrowing TaskContext
    ) {
        do throws(Errno) {
            _ = try Names.makeNode(name.bytes, mode: mode, device: device, .kernel(root), task)
        } catch {
            printk(.warning, "rootfs: cannot make \(name): error \(error.code)")
        }
    }

    /// Makes the files of an initial ramdisk: cpio archives (`newc`), plain or within gzip, one after the other. Returns
    /// how many entries there were. The memory may be given back afterwards.
    @discardableResult
    public static func populate(
        fromRamdisk bytes: UnsafeRawBufferPointer, _ root: Path, _ task: borrowing TaskContext
    ) throws(ArchiveError) -> Int {
        let unpacker = RamdiskUnpacker(root: root)
        try unsafe Ramdisk.read(bytes, unpacker, task)
        unpacker.finish()
        return unpacker.count
    }

    /// Mounts a file system on a directory of the tree, which is made if it is not there.
    public static func mount(
        _ fileSystem: FileSystem, on name: StaticString, _ root: Path, _ task: borrowing TaskContext
    ) throws(Errno) {
        let context = NameContext.kernel(root)
        do throws(Errno) {
            _ = try Names.makeNode(
                name.bytes, mode: FileMode(.directory, 0o755), device: .none, context, task)
        } catch {
            guard error == .exists else { throw error }
        }
        let place = try Names.find(name.bytes, [.follow, .directory], context, task)
        try Names.mount(
            fileSystem, on: place, source: fileSystem.typeName.bytes, flags: [], task)
    }

    /// Opens a file for the kernel itself.
    public static func openForKernel(
        _ name: [UInt8], _ root: Path, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        try Names.open(name, [], permissions: 0, .kernel(root), task)
    }
}

extension ArchiveError {
    /// What to tell whoever started the kernel.
    public var message: LogMessage {
        switch reason {
        case .corrupt: "initial ramdisk is truncated or corrupt: \(what) at byte \(offset)"
        case .storage: "initial ramdisk does not fit into memory: \(what) at byte \(offset)"
        }
    }
}

extension StaticString {
    /// The text as bytes.
    var bytes: [UInt8] {
        // A static string with a pointer representation is UTF-8 code units for its whole life.
        unsafe [UInt8](UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount))
    }
}
