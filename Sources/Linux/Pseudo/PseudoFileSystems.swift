// What the kernel's boot calls: the made-up file systems become known to mount(2), the device files to /dev.

import Devices
import Memory
import Primitives

/// `mount -t proc`, `mount -t sysfs`, `mount -t debugfs`: always the one there is.
final class PseudoFileSystemType: FileSystemType, @unchecked Sendable {
    private let fileSystem: @Sendable () -> FileSystem

    init(name: StaticString, _ fileSystem: @escaping @Sendable () -> FileSystem) {
        self.fileSystem = fileSystem
        super.init(name: name)
    }

    override func make(
        source: [UInt8], data: [UInt8], _ task: borrowing TaskContext
    ) throws(Errno) -> FileSystem { fileSystem() }
}

public enum PseudoFileSystems {
    /// Registers `proc`, `sysfs` and `debugfs`. Boot only. `commandLine` is what /proc/cmdline shows; `apicIDs` are the CPUs'
    /// local APIC numbers, by CPU number.
    public static func initialize(commandLine: [UInt8], apicIDs: [UInt32]) {
        // Boot: nobody reads yet.
        unsafe ProcKernelFiles.commandLine = commandLine
        unsafe ProcessorTopology.apicIDs = apicIDs
        FileSystemType.register(PseudoFileSystemType(name: "proc") { ProcFileSystem.shared })
        FileSystemType.register(PseudoFileSystemType(name: "sysfs") { SystemFileSystem.shared })
        FileSystemType.register(PseudoFileSystemType(name: "debugfs") { DebugFileSystem.shared })
    }
}

/// The device files that belong to no driver: memory's (`/dev/null`, ...) and the kernel log's.
public enum DeviceFiles {
    /// Registers all of them. Boot only, before `/dev` is made.
    public static func registerAll() {
        MemoryDeviceDriver.registerAll()
        VirtioFiles.register()
        InputFiles.register()
        RTCFiles.register()
        ControlAltDelete.install()
        OrderlyPowerOff.install()
        KernelLogDriver.register()
    }

    /// Completes a mounted `/dev`: the links by which programs find their own descriptors, and `/dev/shm` with a RAM
    /// file system of its own. Boot only.
    public static func complete(_ root: Path, _ task: borrowing TaskContext) {
        let context = NameContext.kernel(root)
        var links: [(StaticString, StaticString)] = [
            ("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0"),
            ("/dev/stdout", "/proc/self/fd/1"), ("/dev/stderr", "/proc/self/fd/2"),
        ]
        if RTC.isPresent { links.append(("/dev/rtc", "rtc0")) }
        do throws(Errno) {
            for (name, target) in links {
                _ = try Names.makeSymbolicLink(
                    Text("\(name)").bytes, to: Text("\(target)").bytes, context, task)
            }
            _ = try Names.makeNode(
                Text("/dev/pts").bytes, mode: FileMode(.directory, 0o755), device: .none, context, task)
            let place = try Names.makeNode(
                Text("/dev/shm").bytes, mode: FileMode(.directory, 0o1777), device: .none, context, task)
            let memory = RAMFileSystem(RAMFileSystem.Options())
            try Names.mount(
                memory, on: place, source: Text("tmpfs").bytes, flags: [.noSetUserID, .noDevices], task)
        } catch {
            printk(.warning, "/dev is incomplete: error \(error.code)")
        }
    }
}
