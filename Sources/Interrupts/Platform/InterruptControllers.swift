// Switching the machine's interrupt controllers on: the 8259s masked, each CPU's local APIC, the I/O APICs.

import Machine
import Memory
import Primitives
import Synchronization

public enum InterruptControllers {
    /// Where the masked 8259s' vectors are moved: a multiple of 8. Only their lines 7 and 15 can still come.
    static let legacyVector: UInt8 = 32
    /// Where an I/O APIC is when the firmware has no table of them.
    private static let usualIOAPIC = PhysicalAddress(0xfec0_0000)

    private static let errors = Atomic<UInt>(0)
    /// Written at boot, before other CPUs run.
    nonisolated(unsafe) private static var table: MADT? = nil

    /// How many errors local APICs have reported.
    static var errorCount: UInt { errors.load(ordering: .relaxed) }

    /// Sets up everything but the other CPUs' local APICs. Boot CPU, interrupts off, once `DeviceMapping` works
    /// and `CPUs.count` is known.
    /// - Parameters:
    ///   - usesX2APIC: the local APICs' registers are model-specific ones.
    ///   - usesIOAPIC: false for `noapic`: lines are the 8259s' then, as where no I/O APIC answers.
    public static func initialize(_ madt: MADT?, usesX2APIC: Bool, usesIOAPIC: Bool = true) {
        unsafe table = madt
        if madt?.has8259 ?? true { InterruptController8259.disable(vector: legacyVector) }
        startLocalAPIC(hasX2APIC: usesX2APIC)
        if usesIOAPIC { addIOAPICs(madt) }
        if unsafe IOAPICs.count == 0 { return useLegacy() }
        IRQLines.initialize(overrides: madt?.overrides ?? [], cpus: CPUs.count)
        for source in madt?.nmiSources ?? [] {
            IOAPICs.input(line: Int(source.line))?.setNMI(source.wiring, apicID: LocalAPIC.identifier)
        }
    }

    /// The 8259s' sixteen lines, which interrupt the boot CPU.
    private static func useLegacy() {
        guard InterruptController8259.isPresent() else {
            printk(.error, "no interrupt controller but the local APICs answers")
            return IRQLines.initialize(overrides: [], cpus: CPUs.count)
        }
        printk(.info, "8259 interrupt controllers, lines 0-15")
        IRQLines.initialize(overrides: [], cpus: CPUs.count, legacy: true)
        InterruptController8259.setMasks(0xffff)
        LocalAPIC.enableExternal()
    }

    private static func startLocalAPIC(hasX2APIC: Bool) {
        if hasX2APIC {
            LocalAPIC.configure(registers: nil, hasX2APIC: true)
        } else if let window = DeviceMapping.map(LocalAPIC.physicalBase, bytes: pageSize) {
            LocalAPIC.configure(registers: window, hasX2APIC: false)
        } else {
            printk(.emergency, "no memory to map the local APIC")
            return
        }
        Vectors.setHandler(.error, VectorHandler { _, _ in InterruptControllers.takeError() })
        enableLocalAPIC()
        printk(
            .info,
            "Local APIC \(LocalAPIC.identifier) in \(hasX2APIC ? "x2APIC" : "xAPIC" as StaticString) mode")
    }

    /// Switches on the local APIC of the CPU that runs this; its area's `apic_id` is known. Interrupts off.
    public static func enableLocalAPIC() {
        LocalAPIC.enable(spurious: Vector.spurious.number, error: Vector.error.number)
        guard let madt = unsafe table else { return }
        let uid = madt.cpus.first { $0.apicID == LocalAPIC.identifier }?.uid
        for line in madt.localNMIs where line.uid == nil || line.uid == uid {
            LocalAPIC.enableNMI(line: line.line)
        }
    }

    private static func addIOAPICs(_ madt: MADT?) {
        for unit in madt?.ioAPICs ?? [] {
            addIOAPIC(unit.address, unit.identifier, firstLine: Int(unit.firstLine))
        }
        if madt == nil { addIOAPIC(usualIOAPIC, 0, firstLine: 0) }
    }

    private static func addIOAPIC(_ address: PhysicalAddress, _ identifier: UInt8, firstLine: Int) {
        guard let window = DeviceMapping.map(address, bytes: IOAPIC.windowSize),
            let device = IOAPIC(registers: window)
        else {
            printk(.warning, "I/O APIC \(identifier) at 0x\(hex: address.value) does not answer: skipped")
            return
        }
        IOAPICs.add(device, identifier: identifier, firstLine: firstLine)
        printk(
            .info,
            "I/O APIC \(identifier) at 0x\(hex: address.value), lines \(firstLine)-\(firstLine + device.count - 1)"
        )
    }

    /// The error interrupt: counted, and the first few are told.
    @_semantics("no_performance_analysis")
    private static func takeError() {
        let status = LocalAPIC.takeErrors()
        let count = errors.wrappingAdd(1, ordering: .relaxed).newValue
        if count <= 10 { printk(.error, "local APIC error on CPU \(CPU.index): \(describe(status))") }
    }

    /// The bits of the error status register (Intel SDM volume 3, figure 10-9).
    static func describe(_ status: UInt32) -> LogMessage {
        let names: InlineArray<8, StaticString> = [
            "send checksum", "receive checksum", "send accept", "receive accept", "redirectable IPI",
            "send illegal vector", "receive illegal vector", "illegal register address",
        ]
        var text: LogMessage = "0x\(hex: status)"
        for bit in 0..<8 where status >> UInt32(bit) & 1 != 0 { text = "\(text), \(names[bit])" }
        return text
    }
}
