// What the firmware says of this machine, kept for the whole time; switching it off and restarting it.

import Machine
import Memory
import Primitives

public enum Platform {
    /// Registers for the end, mapped while there is still a heap to do it with. Written once at boot.
    private struct Registers {
        var reset: GenericRegister?
        var resetValue: UInt8 = 0
        var sleepControl: GenericRegister?
        var pm1a: GenericRegister?
        var pm1b: GenericRegister?
        var enableACPI: (port: UInt16, value: UInt8)?
        var softOff: SleepPackage?
        var has8042 = true
        /// 0x32 is where PC firmware keeps the century, where no table says so; a reading that makes no sense is
        /// refused.
        var clock = RealTimeClock.Extras(century: 0x32)
        var systemControl: SystemControlRegisters?
    }

    nonisolated(unsafe) private static var registers = Registers()

    private enum Control {
        static let acpiEnabled: UInt16 = 1
        static let sleepType: UInt16 = 7 << 10
        static let sleepEnable: UInt16 = 1 << 13
        static let reducedSleepEnable: UInt8 = 1 << 5
    }

    /// Reads the firmware's tables from the RSDP at `rsdp` (0 if unknown), and says which it skipped.
    /// Boot, once, after `DeviceMapping` works.
    public static func readTables(rsdp: UInt64, in memory: some FirmwareMemory) -> ACPI {
        let acpi = ACPI(rsdp: rsdp, in: memory)
        for table in acpi.skipped { report(table) }
        if let madt = acpi.interruptControllers, madt.badEntries > 0 {
            printk(.warning, "ACPI: \(madt.badEntries) bad entries in the APIC table were skipped")
        }
        remember(acpi)
        return acpi
    }

    private static func report(_ table: ACPI.Skipped) {
        var name: LogMessage = ""
        for index in 0..<4 {
            let byte = table.signature.character(index)
            name.append(byte: byte < 32 || byte > 126 ? 63 : byte)
        }
        let why: LogMessage =
            switch table.problem {
            case .noRootPointer: "not found"
            case .unreadable: "not in readable memory"
            case .badChecksum: "wrong checksum"
            case .badLength(let length): "length \(length) cannot be"
            case .wrongSignature: "wrong signature"
            case .badEntry(let offset): "bad entry at offset \(offset)"
            }
        printk(.warning, "ACPI: table \(name) at 0x\(hex: table.address.value) skipped: \(why)")
    }

    private static func remember(_ acpi: ACPI) {
        guard let fixed = acpi.fixed else { return }
        func register(_ address: GenericAddress?) -> GenericRegister? {
            address.flatMap { GenericRegister($0) { DeviceMapping.map($0, bytes: 8) } }
        }
        unsafe registers = Registers(
            reset: register(fixed.reset), resetValue: fixed.resetValue,
            sleepControl: register(fixed.sleepControl), pm1a: register(fixed.pm1aControl),
            pm1b: register(fixed.pm1bControl), enableACPI: fixed.enableACPI, softOff: acpi.softOff,
            has8042: fixed.has8042, clock: fixed.clockRegisters,
            systemControl: findSystemControl(acpi, fixed))
    }

    /// Registers of the real-time clock that only some have.
    public static var clockRegisters: RealTimeClock.Extras { unsafe registers.clock }

    /// Switches the machine off. Any context; returns when it cannot.
    public static func powerOff() {
        InterruptFlag.disable()
        guard let softOff = unsafe registers.softOff else { return }
        if let control = unsafe registers.sleepControl {
            control.write8(softOff.typeA << 2 | Control.reducedSleepEnable)
        }
        if let pm1a = unsafe registers.pm1a {
            enterACPIMode(pm1a)
            sleep(pm1a, softOff.typeA)
            if let pm1b = unsafe registers.pm1b { sleep(pm1b, softOff.typeB) }
        }
        Delay.microseconds(100_000)
    }

    /// What the ACPI interrupt's driver needs of the tables; nil on machines without the registers, whose events only
    /// the firmware's byte code knows.
    public static var systemControl: SystemControlRegisters? { unsafe registers.systemControl }

    private static func findSystemControl(_ acpi: ACPI, _ fixed: FADT) -> SystemControlRegisters? {
        func register(_ address: GenericAddress) -> GenericRegister? {
            GenericRegister(address) { DeviceMapping.map($0, bytes: 8) }
        }
        func pair(_ address: GenericAddress?, _ bytes: Int) -> SystemControlRegisters.Block? {
            guard let address, let status = register(address),
                let enable = register(address.advanced(by: bytes / 2))
            else { return nil }
            return SystemControlRegisters.Block(status: status, enable: enable)
        }
        let events = [fixed.pm1aEvent, fixed.pm1bEvent].compactMap { pair($0, fixed.pm1EventBytes) }
        if events.isEmpty { return nil }
        // Without a word in the firmware's table the line is as PCI's: level, active low (5.2.9).
        let isNamed = (acpi.interruptControllers?.overrides ?? []).contains {
            Int($0.source) == Int(fixed.systemControlLine)
        }
        var general: [SystemControlRegisters.Block] = []
        for block in fixed.generalEvents {
            for offset in 0..<block.bytes / 2 {
                let first = block.register.advanced(by: offset)
                if let pair = pair(first, block.bytes / 2 * 2) { general.append(pair) }
            }
        }
        return SystemControlRegisters(
            line: Int(fixed.systemControlLine), flags: isNamed ? .shared : [.shared, .levelLow],
            events: events, general: general, hasPowerButton: fixed.hasPowerButton,
            hasSleepButton: fixed.hasSleepButton)
    }

    /// Switches from legacy to ACPI mode, where that has to be asked for; whether the machine is in it.
    public static func enterACPIMode() -> Bool {
        guard let control = unsafe registers.pm1a else { return false }
        enterACPIMode(control)
        return control.read16() & Control.acpiEnabled != 0
    }

    private static func enterACPIMode(_ control: GenericRegister) {
        guard control.read16() & Control.acpiEnabled == 0, let enable = unsafe registers.enableACPI else {
            return
        }
        Port(enable.port).write8(enable.value)
        for _ in 0..<1000 where control.read16() & Control.acpiEnabled == 0 { Delay.microseconds(100) }
    }

    private static func sleep(_ control: GenericRegister, _ type: UInt8) {
        let value = control.read16() & ~(Control.sleepType | Control.sleepEnable) | UInt16(type & 7) << 10
        // First the type, then the go (ACPI specification 6.5, 16.1.7).
        control.write16(value)
        control.write16(value | Control.sleepEnable)
    }

    /// Restarts the machine: by the firmware's reset register, the keyboard controller, the chipset, and at last
    /// by a fault that the processor cannot deliver. Any context.
    public static func restart() -> Never {
        InterruptFlag.disable()
        if let reset = unsafe registers.reset {
            reset.write8(unsafe registers.resetValue)
            Delay.microseconds(50_000)
        }
        if unsafe registers.has8042 {
            Port(0x64).write8(0xfe)
            Delay.microseconds(50_000)
        }
        Port(0xcf9).write8(0x02)
        Port(0xcf9).write8(0x06)
        Delay.microseconds(50_000)
        TripleFault.reset()
    }
}
