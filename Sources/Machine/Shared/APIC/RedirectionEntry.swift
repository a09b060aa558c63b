// Entries of an I/O APIC's redirection table (82093AA data sheet, 3.2.4).

public struct RedirectionEntry: Equatable, Sendable {
    public enum Delivery: UInt8, Sendable {
        case fixed = 0
        case nmi = 4
        case external = 7
    }

    public var vector: UInt8
    public var delivery: Delivery
    public var wiring: LineWiring
    public var isMasked: Bool
    /// Identifier of the CPU's local APIC (physical mode).
    public var destination: UInt8

    public init(
        vector: UInt8, delivery: Delivery = .fixed, wiring: LineWiring = .isa, isMasked: Bool = false,
        destination: UInt8 = 0
    ) {
        self.vector = vector
        self.delivery = delivery
        self.wiring = wiring
        self.isMasked = isMasked
        self.destination = destination
    }

    static let mask: UInt32 = 1 << 16
    private static let activeLow: UInt32 = 1 << 13
    private static let level: UInt32 = 1 << 15

    public var low: UInt32 {
        UInt32(vector) | UInt32(delivery.rawValue) << 8 | (wiring.isActiveLow ? Self.activeLow : 0)
            | (wiring.isLevel ? Self.level : 0) | (isMasked ? Self.mask : 0)
    }

    public var high: UInt32 { UInt32(destination) << 24 }

    /// Decodes an entry; nil for delivery modes that are not used.
    public init?(low: UInt32, high: UInt32) {
        guard let delivery = Delivery(rawValue: UInt8(low >> 8 & 7)) else { return nil }
        self.init(
            vector: UInt8(truncatingIfNeeded: low), delivery: delivery,
            wiring: LineWiring(isActiveLow: low & Self.activeLow != 0, isLevel: low & Self.level != 0),
            isMasked: low & Self.mask != 0, destination: UInt8(truncatingIfNeeded: high >> 24))
    }
}
