// /proc/bus/input/devices and handlers: which input devices there are, in Linux's format.

import Devices
import Primitives

enum ProcInputFiles {
    static func add(to tree: PseudoTree) {
        tree.add("bus/input/devices") { text, _ in
            for (index, device) in InputDevices.all.enumerated() {
                add(device.description, index, to: &text)
            }
        }
        tree.add("bus/input/handlers") { text, _ in
            text.add("N: Number=0 Name=mousedev Minor=32\nN: Number=1 Name=evdev Minor=64\n")
        }
    }

    private static func add(_ device: InputDescription, _ index: Int, to text: inout Text) {
        let id = device.identity
        text.add("I: Bus=\(hex: id.bus, width: 4) Vendor=\(hex: id.vendor, width: 4) ")
        text.add("Product=\(hex: id.product, width: 4) Version=\(hex: id.version, width: 4)\n")
        text.add("N: Name=\"\(device.name)\"\nP: Phys=\(device.place)\nS: Sysfs=\nU: Uniq=\n")
        let isMouse = device.axes.contains(InputEvent.Axis.x)
        text.add("H: Handlers=\(isMouse ? "mice " : "" as StaticString)event\(index) \nB: PROP=0\n")
        addBits("EV", device.kinds, to: &text)
        if device.kinds.contains(InputEvent.Kind.key) { addBits("KEY", device.keys, to: &text) }
        if device.kinds.contains(InputEvent.Kind.relative) { addBits("REL", device.axes, to: &text) }
        if device.kinds.contains(InputEvent.Kind.miscellaneous) {
            addBits("MSC", device.miscellaneous, to: &text)
        }
        text.add("\n")
    }

    /// Words in hexadecimal, the highest first, without leading zero words.
    private static func addBits(_ name: StaticString, _ set: CodeSet, to text: inout Text) {
        text.add("B: \(name)=")
        var first = set.wordCount - 1
        while first > 0, set.word(first) == 0 { first -= 1 }
        for index in stride(from: first, through: 0, by: -1) {
            text.add("\(hex: set.word(index))\(index > 0 ? " " : "\n" as StaticString)")
        }
    }
}
