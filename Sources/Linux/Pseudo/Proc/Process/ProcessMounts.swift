// /proc/PID/mounts and mountinfo: what is mounted, as seen from the process's root.

import Primitives

enum ProcessMounts {
    /// `source mount-point type options 0 0`
    static func showTable(_ root: Path, _ text: inout Text) {
        for mount in MountTable.all {
            guard let place = place(of: mount, root) else { continue }
            text.add(escaping: mount.source)
            text.add(" ")
            text.add(escaping: place)
            text.add(" \(mount.fileSystem.typeName) ")
            addOptions(mount, &text)
            text.add(mount.fileSystem.optionText)
            text.add(" 0 0\n")
        }
    }

    /// `number parent major:minor root mount-point options - type source super-options`
    static func showInformation(_ root: Path, _ text: inout Text) {
        for mount in MountTable.all {
            guard let place = place(of: mount, root) else { continue }
            let parent = MountTable.place(of: mount)?.mount.identifier ?? mount.identifier
            let device = mount.fileSystem.device
            text.add("\(mount.identifier) \(parent) \(device.major):\(device.minor) ")
            text.add(escaping: rootName(mount))
            text.add(" ")
            text.add(escaping: place)
            text.add(" ")
            addOptions(mount, &text)
            text.add(" - \(mount.fileSystem.typeName) ")
            text.add(escaping: mount.source)
            text.add(mount.isReadOnly ? " ro" : " rw")
            text.add(mount.fileSystem.optionText)
            text.add("\n")
        }
    }

    /// Name of the mount point; nil if the process cannot reach it.
    private static func place(of mount: Mount, _ root: Path) -> [UInt8]? {
        let name = PathName.of(Path(mount: mount, entry: mount.root), from: root)
        return name.first == 47 ? name : nil
    }

    /// What part of the file system is mounted: its root's name in the file system itself.
    private static func rootName(_ mount: Mount) -> [UInt8] {
        if mount.root === mount.fileSystem.root { return [47] }
        var parts: [[UInt8]] = []
        var entry = mount.root
        while let parent = Tree.parent(of: entry) {
            parts.append(Tree.links.withLock { _ in entry.name })
            entry = parent
        }
        return parts.reversed().reduce(into: []) { $0 += [47] + $1 }
    }

    private static func addOptions(_ mount: Mount, _ text: inout Text) {
        let flags = mount.flags
        text.add(flags.contains(.readOnly) ? "ro" : "rw")
        if flags.contains(.noSetUserID) { text.add(",nosuid") }
        if flags.contains(.noDevices) { text.add(",nodev") }
        if flags.contains(.noExecution) { text.add(",noexec") }
        if flags.contains(.noAccessTime) { text.add(",noatime") }
        if flags.contains(.noDirectoryAccessTime) { text.add(",nodiratime") }
        if flags.contains(.relativeAccessTime) { text.add(",relatime") }
    }
}
