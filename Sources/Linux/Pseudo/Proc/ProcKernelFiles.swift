// Files of /proc about the kernel itself: its version, command line, file systems, devices.

import Devices
import Primitives
import Tasks
import Time

enum ProcKernelFiles {
    /// The command line, as it came. Set once at boot.
    nonisolated(unsafe) static var commandLine: [UInt8] = []

    static func add(to tree: PseudoTree) {
        tree.add("version") { text, _ in
            text.add("Linux version \(HostNames.release) (apus) (Swift 6.3, LLD) \(HostNames.version)\n")
        }
        tree.add("cmdline") { text, _ in
            // Not written after boot.
            text.add(unsafe commandLine)
            text.add(byte: 10)
        }
        tree.add("filesystems") { text, _ in
            for type in FileSystemType.all {
                text.add(type.needsNoDevice ? "nodev\t\(type.name)\n" : "\t\(type.name)\n")
            }
        }
        tree.add("devices") { text, _ in showDevices(&text) }
        tree.add("misc") { text, _ in
            for node in DeviceRegistry.allNodes where node.device.major == 10 {
                text.add("\(padded: node.device.minor, to: 3) \(node.name)\n")
            }
        }
        tree.add("swaps") { text, _ in text.add("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n") }
        tree.add("partitions") { text, _ in text.add("major minor  #blocks  name\n\n") }
        tree.add("diskstats") { _, _ in }
        tree.add("modules") { _, _ in }
        tree.add("locks") { _, _ in }
        tree.add("consoles", 0o444) { text, _ in showConsoles(&text) }
        tree.add(
            "kmsg",
            inode: KernelLogStreamInode(
                tree.fileSystem, number: tree.fileSystem.takeNumber(),
                mode: FileMode(.regular, 0o400)))
        tree.add("tty/drivers") { text, _ in showTerminalDrivers(&text) }
        tree.add("tty/driver/serial") { text, _ in showSerialPorts(&text) }
    }

    private static func showDevices(_ text: inout Text) {
        text.add("Character devices:\n  1 mem\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n 10 misc\n")
        text.add("136 pts\n\nBlock devices:\n")
    }

    private static func showConsoles(_ text: inout Text) {
        guard let console = Terminals.console else { return }
        var name: Text = "\(console.name)"
        while name.count < 21 { name.add(byte: 32) }
        text.add("\(name)-W- (EC a)    \(console.number.major):\(console.number.minor)\n")
    }

    private static func showTerminalDrivers(_ text: inout Text) {
        text.add("/dev/tty             /dev/tty        5       0 system:/dev/tty\n")
        text.add("/dev/console         /dev/console    5       1 system:console\n")
        text.add("serial               /dev/ttyS       4 64-67 serial\n")
    }

    private static func showSerialPorts(_ text: inout Text) {
        text.add("serinfo:1.0 driver revision:\n")
        for index in 0..<4 {
            guard let port = Serial.port(index) else {
                text.add("\(index): uart:unknown port:00000000 irq:0\n")
                continue
            }
            let counts = port.statistics
            text.add("\(index): uart:\(port.model.name) port:\(hex: port.uart.base, width: 8)")
            text.add(" irq:\(port.interruptLine) tx:\(counts.transmitted) rx:\(counts.received)")
            if counts.framingErrors > 0 { text.add(" fe:\(counts.framingErrors)") }
            if counts.parityErrors > 0 { text.add(" pe:\(counts.parityErrors)") }
            if counts.breaks > 0 { text.add(" brk:\(counts.breaks)") }
            if counts.overruns > 0 { text.add(" oe:\(counts.overruns)") }
            if counts.bufferOverruns > 0 { text.add(" bo:\(counts.bufferOverruns)") }
            text.add("\n")
        }
    }
}
