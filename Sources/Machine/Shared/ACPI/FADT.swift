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
    /// Registers of the real-time clock that not all clocks have.
    public private(set) var clockRegisters = RealTimeClock.Extras()
    /// PM1 event registers: status in the first half, enable in the second; two blocks of one, the second may be missing.
    public private(set) var pm1aEvent: GenericAddress?
    public private(set) var pm1bEvent: GenericAddress?
    /// Bytes of a PM1 event block.
    public private(set) var pm1EventBytes = 0
    /// Blocks of general-purpose events, and their bytes: status in the first half, enable in the second.
    public private(set) var generalEvents: [(register: GenericAddress, bytes: Int)] = []
    /// The power button is a fixed event of PM1, not one that only byte code knows.
    public private(set) var hasPowerButton = false
    public private(set) var hasSleepButton = false

    private static let shortest = 76
    private static let flagNoPowerButton: UInt32 = 1 << 4
    private static let flagNoSleepButton: UInt32 = 1 << 5
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
        clockRegisters = RealTimeClock.Extras(
            century: Self.clockRegister(bytes, at: 108), alarmDay: Self.clockRegister(bytes, at: 106))
        dsdt = Self.pointer(bytes, wide: 140, narrow: 40)
        if flags & Self.flagReset != 0, revision >= 2 {
            reset = GenericAddress(bytes, at: 116)
            resetValue = bytes.byte(at: 128) ?? 0
        }
        if isHardwareReduced {
            sleepControl = GenericAddress(bytes, at: 244)
        } else {
            takeLegacy(bytes, timerIs32Bit: flags & Self.flagTimer32 != 0)
            takeEvents(bytes)
            hasPowerButton = flags & Self.flagNoPowerButton == 0
            hasSleepButton = flags & Self.flagNoSleepButton == 0
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

    private mutating func takeEvents(_ bytes: Span<UInt8>) {
        pm1EventBytes = Int(bytes.byte(at: 88) ?? 0)
        if pm1EventBytes >= 4 {
            pm1aEvent = Self.register(bytes, wide: 148, narrow: 56)
            pm1bEvent = Self.register(bytes, wide: 160, narrow: 60)
        }
        for (wide, narrow, length) in [(220, 80, 92), (232, 84, 93)] {
            guard let count = bytes.byte(at: length), count >= 2,
                let register = Self.register(bytes, wide: wide, narrow: narrow)
            else { continue }
            generalEvents.append((register, Int(count)))
        }
    }

    /// Number of a register of the clock; 0 stands for none, and the first 14 are others.
    private static func clockRegister(_ bytes: Span<UInt8>, at offset: Int) -> UInt8? {
        guard let number = bytes.byte(at: offset), number >= 14, number < 128 else { return nil }
        return number
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
            && a.clockRegisters == b.clockRegisters && a.pm1aEvent == b.pm1aEvent
            && a.pm1bEvent == b.pm1bEvent && a.hasPowerButton == b.hasPowerButton
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
