// What answers on the simulated machine's I/O ports: devices registered by a test, and all
// ones where nothing is, as on a PC.

import Synchronization

/// A device of the simulated machine that answers to a range of ports.
public protocol SimulatedPortDevice: AnyObject, Sendable {
    func read(_ port: UInt16, width: Int) -> UInt32
    func write(_ port: UInt16, _ value: UInt32, width: Int)
}

public enum SimulatedBus {
    private static let devices = Mutex<[(ports: ClosedRange<UInt16>, device: any SimulatedPortDevice)]>([])

    public static func attach(_ device: any SimulatedPortDevice, to ports: ClosedRange<UInt16>) {
        devices.withLock { $0.append((ports, device)) }
    }

    public static func detachAll() { devices.withLock { $0.removeAll() } }

    private static func device(at port: UInt16) -> (any SimulatedPortDevice)? {
        devices.withLock { $0.last { $0.ports.contains(port) }?.device }
    }

    static func read(_ port: UInt16, width: Int) -> UInt32 {
        device(at: port)?.read(port, width: width) ?? .max
    }

    static func write(_ port: UInt16, _ value: UInt32, width: Int) {
        device(at: port)?.write(port, value, width: width)
    }
}
