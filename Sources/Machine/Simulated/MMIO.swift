// Device registers in memory, on the simulated machine: a model registered by a test answers.

import Synchronization

/// A device of the simulated machine with registers in memory.
public protocol SimulatedMemoryDevice: AnyObject, Sendable {
    func read(_ offset: Int, width: Int) -> UInt64
    func write(_ offset: Int, _ value: UInt64, width: Int)
}

/// A window of device registers.
public struct MMIO: Sendable {
    public let base: UInt
    public init(_ base: VirtualAddress) { self.base = base.value }

    public func read8(_ offset: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: SimulatedMemoryBus.device(at: base)?.read(offset, width: 1) ?? .max)
    }
    public func write8(_ offset: Int, _ value: UInt8) {
        SimulatedMemoryBus.device(at: base)?.write(offset, UInt64(value), width: 1)
    }
    public func read16(_ offset: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: SimulatedMemoryBus.device(at: base)?.read(offset, width: 2) ?? .max)
    }
    public func write16(_ offset: Int, _ value: UInt16) {
        SimulatedMemoryBus.device(at: base)?.write(offset, UInt64(value), width: 2)
    }
    public func read32(_ offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: SimulatedMemoryBus.device(at: base)?.read(offset, width: 4) ?? .max)
    }
    public func write32(_ offset: Int, _ value: UInt32) {
        SimulatedMemoryBus.device(at: base)?.write(offset, UInt64(value), width: 4)
    }
    public func read64(_ offset: Int) -> UInt64 {
        SimulatedMemoryBus.device(at: base)?.read(offset, width: 8) ?? .max
    }
    public func write64(_ offset: Int, _ value: UInt64) {
        SimulatedMemoryBus.device(at: base)?.write(offset, value, width: 8)
    }
}

/// Which model answers at which base address.
public enum SimulatedMemoryBus {
    private static let devices = Mutex<[UInt: any SimulatedMemoryDevice]>([:])

    public static func attach(_ device: any SimulatedMemoryDevice, at base: VirtualAddress) {
        devices.withLock { $0[base.value] = device }
    }

    public static func detach(_ base: VirtualAddress) {
        devices.withLock { _ = $0.removeValue(forKey: base.value) }
    }

    public static func detachAll() { devices.withLock { $0.removeAll() } }

    static func device(at base: UInt) -> (any SimulatedMemoryDevice)? { devices.withLock { $0[base] } }
}
