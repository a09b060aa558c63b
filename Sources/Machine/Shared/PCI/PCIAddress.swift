// A function's place on the PCI buses, and its configuration space through the ports 0xcf8 and 0xcfc: an address
// register and a data register, so whoever uses them sees to it that nobody comes between (PCI Local Bus
// specification 3.0, 3.2.2.3.2).

public struct PCIAddress: Equatable, Sendable {
    public let bus: UInt8
    /// 0 to 31.
    public let device: UInt8
    /// 0 to 7.
    public let function: UInt8

    public init(bus: UInt8, device: UInt8, function: UInt8) {
        self.bus = bus
        self.device = device & 31
        self.function = function & 7
    }

    private static let addressPort = Port(0xcf8)
    private static let dataPort = Port(0xcfc)
    private static let enable: UInt32 = 1 << 31

    private func select(_ offset: UInt8) {
        Self.addressPort.write32(
            Self.enable | UInt32(bus) << 16 | UInt32(device) << 11 | UInt32(function) << 8
                | UInt32(offset & 0xfc))
    }

    /// Whether the ports answer: the address register keeps what is written.
    public static func isPresent() -> Bool {
        addressPort.write32(enable)
        return addressPort.read32() == enable
    }

    /// The 32-bit word at `offset`, a multiple of 4; all ones where nothing is. The caller keeps others off the ports.
    public func read(_ offset: UInt8) -> UInt32 {
        select(offset)
        return Self.dataPort.read32()
    }

    public func write(_ offset: UInt8, _ value: UInt32) {
        select(offset)
        Self.dataPort.write32(value)
    }
}
