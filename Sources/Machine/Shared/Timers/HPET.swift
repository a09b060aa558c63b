// The high-precision event timer: a counter of 10 MHz or more (IA-PC HPET specification 1.0a, 2.3).

public struct HPET: Sendable {
    private enum Register {
        static let capabilities = 0x00
        static let configuration = 0x10
        static let counter = 0xf0
    }

    private static let enable: UInt64 = 1
    private static let legacyReplacement: UInt64 = 2
    private static let wide: UInt64 = 1 << 13
    private static let slowestPeriod: UInt64 = 0x05f5_e100
    public static let windowSize: UInt = 1024

    private let window: MMIO
    /// Femtoseconds per tick.
    public let period: UInt64
    /// 64 bits; else 32.
    public let isWide: Bool
    public let timerCount: Int

    /// Takes over the HPET whose registers are mapped at `registers`, and starts its counter; nil when what
    /// is there cannot be one.
    public init?(registers: VirtualAddress) {
        window = MMIO(registers)
        let capabilities = window.read64(Register.capabilities)
        period = capabilities >> 32
        guard period > 0, period <= Self.slowestPeriod, capabilities != .max else { return nil }
        isWide = capabilities & Self.wide != 0
        timerCount = Int(capabilities >> 8 & 31) + 1
        let configuration = window.read64(Register.configuration)
        window.write64(Register.configuration, configuration & ~Self.legacyReplacement | Self.enable)
    }

    /// The counter. Any context.
    @inline(__always)
    public func read() -> UInt64 {
        isWide ? window.read64(Register.counter) : UInt64(window.read32(Register.counter))
    }

    /// Ticks per second.
    public var frequency: UInt64 { 1_000_000_000_000_000 / period }
}
