// The input devices of the machine, by number: /dev/input/event0 and so on.

import Primitives

public enum InputDevices {
    /// Written at boot, by the drivers; read afterwards.
    nonisolated(unsafe) private static var list: [InputDevice] = []

    // Not written after boot.
    public static var all: [InputDevice] { unsafe list }

    /// Makes a device known; its number is the next one. Boot only.
    public static func add(_ device: InputDevice) {
        let number = all.count
        printk(.info, "input: \(device.description.name) as /dev/input/event\(number)")
        // Boot: nobody reads yet.
        unsafe list.append(device)
    }

    /// Those that move a pointer.
    public static var mice: [InputDevice] {
        all.filter { $0.description.axes.contains(InputEvent.Axis.x) }
    }
}
