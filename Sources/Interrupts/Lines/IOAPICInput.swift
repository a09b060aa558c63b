// The chip of a device line: one input of one I/O APIC.

import Machine
import Primitives

/// The machine's I/O APICs. Made at boot, never freed.
enum IOAPICs {
    struct Unit: ~Copyable {
        let identifier: UInt8
        /// Number of its first line among all of the machine's.
        let firstLine: Int
        let count: Int
        /// Index and data register are used together. Interrupts take it too.
        let registers: SpinLock<IOAPIC>

        init(_ device: IOAPIC, identifier: UInt8, firstLine: Int) {
            self.identifier = identifier
            self.firstLine = firstLine
            count = device.count
            registers = SpinLock(device)
        }
    }

    static let maximumUnits = 16
    /// Written at boot, before any line is requested.
    nonisolated(unsafe) private static var units: UnsafeMutablePointer<Unit>? = nil
    nonisolated(unsafe) private(set) static var count = 0

    /// Adds one, all of its inputs masked. Boot only.
    static func add(_ device: IOAPIC, identifier: UInt8, firstLine: Int) {
        guard unsafe count < maximumUnits else { return }
        if unsafe units == nil { unsafe units = .allocate(capacity: maximumUnits) }
        for pin in 0..<device.count { device.set(pin, RedirectionEntry(vector: 0, isMasked: true)) }
        // There is room for `maximumUnits`.
        unsafe (units! + count).initialize(
            to: Unit(device, identifier: identifier, firstLine: firstLine))
        unsafe count += 1
    }

    /// One past the highest line of all units.
    static var lineCount: Int {
        var end = 0
        for index in 0..<(unsafe count) {
            unsafe end = max(end, units![index].firstLine + units![index].count)
        }
        return end
    }

    /// The input that `line` (a number among all of the machine's) is; nil when no unit has it.
    static func input(line: Int) -> IOAPICInput? {
        for index in 0..<(unsafe count) {
            let pin = unsafe line - units![index].firstLine
            if pin >= 0, unsafe pin < units![index].count {
                return unsafe IOAPICInput(unit: units! + index, pin: pin)
            }
        }
        return nil
    }
}

/// One input. The unit it belongs to lives as long as the kernel.
@safe struct IOAPICInput: @unchecked Sendable {
    private let unit: UnsafeMutablePointer<IOAPICs.Unit>
    let pin: Int

    init(unit: UnsafeMutablePointer<IOAPICs.Unit>, pin: Int) {
        unsafe self.unit = unit
        self.pin = pin
    }

    /// Identifier of its I/O APIC.
    var chip: UInt8 { unsafe unit.pointee.identifier }

    /// Runs `body` with the unit's registers; any context but NMI.
    @inline(never)
    private func withRegisters(_ body: (borrowing IOAPIC) -> Void) {
        unsafe unit.pointee.registers.withLockInterruptsOff { device, _ in body(device) }
    }

    func mask() { withRegisters { $0.mask(pin) } }
    func unmask() { withRegisters { $0.unmask(pin) } }

    /// Wires the input to a vector of a CPU.
    func set(_ target: InterruptTarget, _ wiring: LineWiring, isMasked: Bool) {
        let entry = RedirectionEntry(
            vector: target.vector, wiring: wiring, isMasked: isMasked,
            destination: UInt8(truncatingIfNeeded: target.apicID))
        withRegisters { $0.set(pin, entry) }
    }

    /// Changes the CPU and nothing else: one write of the half that holds it.
    func redirect(to target: InterruptTarget) {
        withRegisters { $0.setDestination(pin, UInt8(truncatingIfNeeded: target.apicID)) }
    }

    /// Makes the input an NMI of the CPU of that identifier.
    func setNMI(_ wiring: LineWiring, apicID: UInt32) {
        let entry = RedirectionEntry(
            vector: 0, delivery: .nmi, wiring: wiring, destination: UInt8(truncatingIfNeeded: apicID))
        withRegisters { $0.set(pin, entry) }
    }

    /// Whether the unit has the input masked.
    var isMasked: Bool {
        var result = true
        withRegisters { result = $0.entry(pin)?.isMasked ?? false }
        return result
    }
}
