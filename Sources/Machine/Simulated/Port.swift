// I/O ports of the simulated machine.

public struct Port: Sendable {
    public let number: UInt16
    public init(_ number: UInt16) { self.number = number }

    public func read8() -> UInt8 { UInt8(truncatingIfNeeded: SimulatedBus.read(number, width: 1)) }
    public func read16() -> UInt16 { UInt16(truncatingIfNeeded: SimulatedBus.read(number, width: 2)) }
    public func read32() -> UInt32 { SimulatedBus.read(number, width: 4) }
    public func write8(_ value: UInt8) { SimulatedBus.write(number, UInt32(value), width: 1) }
    public func write16(_ value: UInt16) { SimulatedBus.write(number, UInt32(value), width: 2) }
    public func write32(_ value: UInt32) { SimulatedBus.write(number, value, width: 4) }
}
