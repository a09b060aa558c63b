// The fixed ACPI description table (ACPI specification 6.5, 5.2.9): PM timer, reset register, power-off.

public struct FADT: Equatable, Sendable {
    /// The power-management timer: 3.579545 MHz, 24 or 32 bits.
    public struct PMTimer: Equatable, Sendable {
        public var register: GenericAddress
        public var is32Bit: Bool
    }

    public private(set) var dsdt: PhysicalAddress?
    public private(set) var pmTimer: PMTimer?
    /// Writing `resetValue` there resets the machine.
    public private(set) var reset: GenericAddress?
    public private(set) var resetValue: UInt8 = 0
    /// PM1 control registers: two halves of one, the second may be missing.
    public private(set) var pm1aControl: GenericAddress?
    public private(set) var pm1bControl: GenericAddress?
    /// The sleep control register of machines without PM1.
    public private(set) var sleepControl: GenericAddress?
    /// Line of the ACPI interrupt.
    public private(set) var systemControlLine: UInt16
    /// Port and value that switch the machine from legacy to ACPI mode; nil when it is always in it.
    public private(set) var enableACPI: (port: UInt16, value: UInt8)?
    public private(set) var isHardwareReduced: Bool
    /// The machine has a keyboard controller (IA-PC boot architecture flags); true for tables too old to say.
    public private(set) var has8042: Bool

    private static let shortest = 76
    private static let flagTimer32: UInt32 = 1 << 8
    private static let flagReset: UInt32 = 1 << 10
    private static let flagHardwareReduced: UInt32 = 1 << 20

    init(_ table: ACPITable) throws(ACPIProblem) {
        let bytes = table.bytes.span
        guard bytes.count >= Self.shortest, let line = bytes.little16(at: 46) else {
            throw .badLength(UInt32(bytes.count))
        }
        let revision = bytes.byte(at: 8) ?? 1
        let flags = bytes.little32(at: 112) ?? 0
        systemControlLine = line
        isHardwareReduced = revision >= 5 && flags & Self.flagHardwareReduced != 0
        has8042 = revision < 2 || (bytes.little16(at: 109) ?? 0) & 2 != 0
        dsdt = Self.pointer(bytes, wide: 140, narrow: 40)
        if flags & Self.flagReset != 0, revision >= 2 {
            reset = GenericAddress(bytes, at: 116)
            resetValue = bytes.byte(at: 128) ?? 0
        }
        if isHardwareReduced {
            sleepControl = GenericAddress(bytes, at: 244)
        } else {
            takeLegacy(bytes, timerIs32Bit: flags & Self.flagTimer32 != 0)
        }
    }

    /// The registers that hardware-reduced machines lack.
    private mutating func takeLegacy(_ bytes: Span<UInt8>, timerIs32Bit: Bool) {
        pm1aControl = Self.register(bytes, wide: 172, narrow: 64)
        pm1bControl = Self.register(bytes, wide: 184, narrow: 68)
        if bytes.byte(at: 91) == 4, let register = Self.register(bytes, wide: 208, narrow: 76) {
            pmTimer = PMTimer(register: register, is32Bit: timerIs32Bit)
        }
        if let port = bytes.little32(at: 48), port != 0, port <= 0xffff, let value = bytes.byte(at: 52),
            value != 0
        {
            enableACPI = (UInt16(port), value)
        }
    }

    /// A 64-bit pointer, or the 32-bit one of old tables.
    private static func pointer(_ bytes: Span<UInt8>, wide: Int, narrow: Int) -> PhysicalAddress? {
        if let address = bytes.little64(at: wide), address != 0 { return PhysicalAddress(address) }
        if let address = bytes.little32(at: narrow), address != 0 { return PhysicalAddress(UInt64(address)) }
        return nil
    }

    /// A generic address, or the 32-bit port number of old tables.
    private static func register(_ bytes: Span<UInt8>, wide: Int, narrow: Int) -> GenericAddress? {
        if let address = GenericAddress(bytes, at: wide) { return address }
        guard let port = bytes.little32(at: narrow), port != 0, port <= 0xffff else { return nil }
        return GenericAddress(space: .port, address: UInt64(port))
    }

    public static func == (a: Self, b: Self) -> Bool {
        a.dsdt == b.dsdt && a.pmTimer == b.pmTimer && a.reset == b.reset && a.resetValue == b.resetValue
            && a.pm1aControl == b.pm1aControl && a.pm1bControl == b.pm1bControl
            && a.sleepControl == b.sleepControl && a.systemControlLine == b.systemControlLine
            && a.enableACPI?.port == b.enableACPI?.port && a.enableACPI?.value == b.enableACPI?.value
            && a.isHardwareReduced == b.isHardwareReduced && a.has8042 == b.has8042
    }
}

/// The table of a high-precision event timer (IA-PC HPET specification 1.0a, 3.2.4).
public struct HPETTable: Equatable, Sendable {
    public private(set) var address: PhysicalAddress

    init(_ table: ACPITable) throws(ACPIProblem) {
        guard let address = GenericAddress(table.bytes.span, at: 40) else {
            throw .badLength(UInt32(table.bytes.count))
        }
        guard address.space == .memory else { throw .badEntry(offset: 40) }
        self.address = PhysicalAddress(address.address)
    }
}
