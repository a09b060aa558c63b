// The registers behind the ACPI interrupt (ACPI specification 6.5, 4.8.3 and 4.8.4.1), mapped.

import Machine

public struct SystemControlRegisters: Sendable {
    /// Status and enable: bits of the one are cleared by writing ones.
    public struct Block: Sendable {
        public let status: GenericRegister
        public let enable: GenericRegister
    }

    public let line: Int
    /// How the line is wanted.
    public let flags: IRQFlags
    /// PM1: 16 bits each.
    public let events: [Block]
    /// General-purpose events: 8 bits each.
    public let general: [Block]
    public let hasPowerButton: Bool
    public let hasSleepButton: Bool
}
