// /sys: devices and the kernel's own state, one value a file (sysfs(5)).
//
// Built at its first use from tables of paths; what depends on the machine (CPUs, caches, lines) is asked when a
// file is read, or put in when the tree is built.

import Primitives

enum SystemFileSystem {
    static let magic = 0x6265_6572

    /// The same one wherever it is mounted.
    static let shared: PseudoFileSystem = make()

    private static func make() -> PseudoFileSystem {
        let fileSystem = PseudoFileSystem(typeName: "sysfs", magic: magic)
        let number = fileSystem.takeNumber()
        let root = PseudoDirectory(fileSystem, number: number, parent: number)
        let tree = PseudoTree(fileSystem: fileSystem, root: root)
        for path: StaticString in ["block", "bus", "class", "dev/block", "dev/char", "devices", "firmware"] {
            tree.directory(path)
        }
        for path: StaticString in ["fs/cgroup", "kernel", "module", "power"] { tree.directory(path) }
        SystemProcessors.add(to: tree)
        SystemCaches.add(to: tree)
        SystemClocks.add(to: tree)
        SystemMemory.add(to: tree)
        SystemKernel.add(to: tree)
        SystemDevices.add(to: tree)
        DebugFiles.add(to: tree, under: "kernel/debug/")
        RTCDescription.addSystem(to: tree)
        SystemPower.add(to: tree)
        fileSystem.root = PathEntry(root: root)
        return fileSystem
    }
}
