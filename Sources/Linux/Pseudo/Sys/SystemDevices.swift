// /sys/class: the devices that have a node in /dev, by class, with their numbers (for mdev and its like).

import Primitives

enum SystemDevices {
    static func add(to tree: PseudoTree) {
        for node in DeviceRegistry.allNodes { add(node, to: tree) }
    }

    /// The class of a device, by its major number.
    private static func className(_ device: DeviceNumber) -> StaticString {
        switch device.major {
        case 1: "mem"
        case 4, 5: "tty"
        case 10: "misc"
        case 13: "input"
        case 252: "rtc"
        default: "char"
        }
    }

    private static func add(_ node: DeviceRegistry.Node, to tree: PseudoTree) {
        let device = node.device
        let slash = node.name.lastIndex(of: UInt8(ascii: "/"))
        let name = slash.map { Array(node.name[($0 + 1)...]) } ?? node.name
        let directory = Text("class/\(className(device))/\(name)/").bytes
        tree.add(directory + Text("dev").bytes) { text, _ in text.add("\(device.major):\(device.minor)\n") }
        tree.add(directory + Text("uevent").bytes, 0o644, store: { _, _ throws(Errno) in }) { text, _ in
            text.add("MAJOR=\(device.major)\nMINOR=\(device.minor)\nDEVNAME=\(node.name)\n")
        }
        if device.major == 5, device.minor == 1 {
            tree.add(directory + Text("active").bytes) { text, _ in
                if let console = Terminals.console { text.add("\(console.name)") }
                text.add("\n")
            }
        }
        tree.link(
            Text("dev/char/\(device.major):\(device.minor)").bytes,
            to: Text("../../class/\(className(device))/\(name)").bytes)
    }
}
