// The ACPI power-management timer (ACPI specification 6.5, 4.8.2.1).

public struct PMTimer: Sendable {
    /// Ticks per second.
    public static let frequency: UInt64 = 3_579_545

    private let port: Port
    /// The bits that count: 24 or 32 of them.
    public let mask: UInt64

    /// Nil where the register is not an I/O port, which no machine has.
    public init?(_ description: FADT.PMTimer) {
        guard description.register.space == .port else { return nil }
        port = Port(UInt16(truncatingIfNeeded: description.register.address))
        mask = description.is32Bit ? 0xffff_ffff : 0xff_ffff
    }

    /// The counter. Any context.
    @inline(__always)
    public func read() -> UInt64 { UInt64(port.read32()) & mask }
}
