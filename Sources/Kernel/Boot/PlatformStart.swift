// From the firmware's tables to running interrupt controllers and clocks of known rate.

import Interrupts
import Machine
import Memory
import Primitives

enum PlatformStart {
    /// Reads the firmware's tables, switches the interrupt controllers on and calibrates the clocks. The boot CPU,
    /// interrupts off, once memory is there and before any other CPU runs.
    static func run(_ boot: BootInformation, _ options: KernelOptions) -> CPUTopology {
        if !CPUTables.useGuardedStacks() { bootFailure("no memory for the boot CPU's stacks") }
        let acpi = Platform.readTables(rsdp: boot.rsdp, in: DirectMapFirmware())
        unsafe PanicHooks.restart = { Platform.restart() }
        let features = CPUID.readFeatures()
        let usesX2APIC = features.hasX2APIC && options.mayUseX2APIC
        let topology = CPUTopology(
            acpi.interruptControllers, bootID: features.initialAPICID, limit: options.maximumCPUs,
            lastID: usesX2APIC ? .max - 1 : 254)
        InterruptControllers.initialize(
            acpi.interruptControllers, usesX2APIC: usesX2APIC, usesIOAPIC: options.usesIOAPIC)
        calibrate(acpi)
        CycleClock.start(frequency: unsafe Calibration.result.tscHz, origin: boot.entryTSC)
        return topology
    }

    private static func calibrate(_ acpi: ACPI) {
        let hpet = acpi.hpet.flatMap { table in
            DeviceMapping.map(table.address, bytes: HPET.windowSize).flatMap { HPET(registers: $0) }
        }
        let pmTimer = acpi.fixed?.pmTimer.flatMap { PMTimer($0) }
        let rates = Calibration.run(hpet: hpet, pmTimer: pmTimer)
        printk(
            .info,
            "TSC \(rates.tscHz / 1000) kHz, local APIC timer \(rates.apicTimerHz / 1000) kHz, by \(rates.source.name)"
        )
    }
}
