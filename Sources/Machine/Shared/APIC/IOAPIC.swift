// The registers of an I/O APIC: an index and a data register, so every access is two, and whoever uses one
// sees to it that nobody comes between (82093AA data sheet, 3.1).

public struct IOAPIC: Sendable {
    private let window: MMIO
    /// How many inputs it has, 1 to 240.
    public let count: Int

    private static let index = 0x00
    private static let data = 0x10
    private static let version: UInt32 = 1
    private static let redirection: UInt32 = 0x10
    public static let windowSize: UInt = 0x20

    /// Takes over the I/O APIC whose registers are mapped at `registers`; nil when nothing answers there.
    public init?(registers: VirtualAddress) {
        window = MMIO(registers)
        window.write32(Self.index, Self.version)
        let version = window.read32(Self.data)
        let last = version >> 16 & 0xff
        guard version != 0, version != .max, last < 240 else { return nil }
        count = Int(last) + 1
    }

    private func read(_ register: UInt32) -> UInt32 {
        window.write32(Self.index, register)
        return window.read32(Self.data)
    }

    private func write(_ register: UInt32, _ value: UInt32) {
        window.write32(Self.index, register)
        window.write32(Self.data, value)
    }

    private func place(_ pin: Int) -> UInt32 { Self.redirection &+ 2 &* UInt32(truncatingIfNeeded: pin) }

    /// Reads the entry of an input; nil for a delivery mode that is not used.
    public func entry(_ pin: Int) -> RedirectionEntry? {
        RedirectionEntry(low: read(place(pin)), high: read(place(pin) &+ 1))
    }

    /// Writes the entry of an input. The half with the mask comes last, and while the halves disagree
    /// the input is masked.
    public func set(_ pin: Int, _ entry: RedirectionEntry) {
        write(place(pin), entry.low | RedirectionEntry.mask)
        write(place(pin) &+ 1, entry.high)
        if !entry.isMasked { write(place(pin), entry.low) }
    }

    /// Sends the input's interrupts to another CPU; vector and mask stay.
    public func setDestination(_ pin: Int, _ destination: UInt8) {
        write(place(pin) &+ 1, UInt32(destination) << 24)
    }

    /// Masks an input. What it sends meanwhile is lost if it is an edge.
    public func mask(_ pin: Int) { write(place(pin), read(place(pin)) | RedirectionEntry.mask) }

    public func unmask(_ pin: Int) { write(place(pin), read(place(pin)) & ~RedirectionEntry.mask) }
}
