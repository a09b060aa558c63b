// The words of the interrupt command register's low half (Intel SDM volume 3, figure 10-12).

/// What one command does. Two drivers carry it out: `XAPIC` by two registers in memory, `X2APIC` by one
/// model-specific register.
struct InterruptCommand: Equatable, Sendable {
    let low: UInt32

    private static let deliverNMI: UInt32 = 4 << 8
    private static let deliverINIT: UInt32 = 5 << 8
    private static let deliverStartup: UInt32 = 6 << 8
    private static let logicalDestination: UInt32 = 1 << 11
    private static let assert: UInt32 = 1 << 14
    private static let level: UInt32 = 1 << 15

    /// Whom it reaches without a destination.
    enum Shorthand: UInt32 {
        case none = 0
        case itself = 1
        case all = 2
        case others = 3
    }

    @inline(__always)
    private init(_ low: UInt32) { self.low = low }

    @inline(__always)
    static func fixed(_ vector: UInt8, _ shorthand: Shorthand = .none) -> InterruptCommand {
        InterruptCommand(assert | shorthand.rawValue << 18 | UInt32(vector))
    }

    /// The destination is a set of logical identifiers.
    @inline(__always)
    static func fixedToSet(_ vector: UInt8) -> InterruptCommand {
        InterruptCommand(assert | logicalDestination | UInt32(vector))
    }

    static func nmi(_ shorthand: Shorthand = .none) -> InterruptCommand {
        InterruptCommand(deliverNMI | assert | shorthand.rawValue << 18)
    }

    static let initialize = InterruptCommand(deliverINIT | assert | level)
    /// Ignored by all but the oldest CPUs; the x2APIC has none.
    static let deassert = InterruptCommand(deliverINIT | level)

    static func startup(_ page: PhysicalAddress) -> InterruptCommand {
        InterruptCommand(deliverStartup | assert | UInt32(truncatingIfNeeded: page.value >> 12) & 0xff)
    }
}
