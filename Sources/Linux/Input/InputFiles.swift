// The files of input devices in /dev/input: event0 and so on, and mice.

import Devices
import Primitives
import Tasks

enum InputFiles {
    /// Input devices' number; event files' minors begin at 64, all mice together are 63.
    private static let major: UInt32 = 13
    private static let firstEvent: UInt32 = 64
    private static let allMice: UInt32 = 63
    private static let maximumDevices = 32

    /// Registers what there is. Boot only, once the devices are set up.
    static func register() {
        for (index, device) in InputDevices.all.enumerated() where index < maximumDevices {
            let number = DeviceNumber(major: major, minor: firstEvent + UInt32(index))
            DeviceRegistry.register(.characterDevice, number, EventDriver(device))
            DeviceRegistry.addNode(
                Text("input/event\(index)").bytes, .characterDevice, number, permissions: 0o660)
        }
        DeviceRegistry.register(
            .characterDevice, DeviceNumber(major: major, minor: allMice), name: "input/mice",
            permissions: 0o660, MiceDriver())
    }
}

private final class EventDriver: DeviceDriver, @unchecked Sendable {
    private let device: InputDevice
    init(_ device: InputDevice) { self.device = device }

    override func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File { EventFile(device, inode, path, flags) }
}

private final class MiceDriver: DeviceDriver, @unchecked Sendable {
    override func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File { MiceFile(inode, path, flags) }
}
