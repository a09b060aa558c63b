// A register that the firmware's tables name: a port, or a place in memory that has been mapped.

public enum GenericRegister: Sendable {
    case port(Port)
    case memory(MMIO)

    /// The register at `address`; `map` maps the page of one in memory.
    public init?(_ address: GenericAddress, map: (PhysicalAddress) -> VirtualAddress?) {
        switch address.space {
        case .port: self = .port(Port(UInt16(truncatingIfNeeded: address.address)))
        case .memory:
            guard let place = map(PhysicalAddress(address.address)) else { return nil }
            self = .memory(MMIO(place))
        }
    }

    @_noAllocation
    public func write8(_ value: UInt8) {
        switch self {
        case .port(let port): port.write8(value)
        case .memory(let window): window.write8(0, value)
        }
    }

    @_noAllocation
    public func read8() -> UInt8 {
        switch self {
        case .port(let port): port.read8()
        case .memory(let window): window.read8(0)
        }
    }

    @_noAllocation
    public func read16() -> UInt16 {
        switch self {
        case .port(let port): port.read16()
        case .memory(let window): window.read16(0)
        }
    }

    @_noAllocation
    public func write16(_ value: UInt16) {
        switch self {
        case .port(let port): port.write16(value)
        case .memory(let window): window.write16(0, value)
        }
    }
}
