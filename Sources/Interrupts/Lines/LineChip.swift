// What a line hangs on: an input of an I/O APIC, one of the 8259s' sixteen, or a message that a device writes. Chips
// mask, unmask, aim a line at a vector of a CPU, and say which acknowledgement they want.

import Machine
import Primitives

/// One line's place at its chip. Trivial to copy; what it names lives as long as the kernel.
enum LineChip: Sendable {
    case ioAPIC(IOAPICInput)
    case legacy(LegacyInput)
    case message(MessageInput)

    /// As /proc/interrupts calls it.
    var name: StaticString {
        switch self {
        case .ioAPIC: "IO-APIC"
        case .legacy: "XT-PIC"
        case .message(let input): input.name
        }
    }

    /// The number that the chip knows the line by.
    var hardwareNumber: Int {
        switch self {
        case .ioAPIC(let input): input.pin
        case .legacy(let input): input.pin
        case .message(let input): input.hardwareNumber
        }
    }

    /// Whether the chip wants its own acknowledgement, and none at the local APIC.
    var isLegacy: Bool { if case .legacy = self { true } else { false } }

    /// The vector that the line always has; nil where any will do.
    var fixedTarget: InterruptTarget? {
        guard case .legacy(let input) = self else { return nil }
        return input.target
    }

    /// Any context but NMI, interrupts off.
    func mask() {
        switch self {
        case .ioAPIC(let input): input.mask()
        case .legacy(let input): input.mask()
        case .message(let input): input.mask()
        }
    }

    /// The last handler has left; the line is masked.
    func shutDown() {
        if case .message(let input) = self { input.shutDown() }
    }

    func unmask() {
        switch self {
        case .ioAPIC(let input): input.unmask()
        case .legacy(let input): input.unmask()
        case .message(let input): input.unmask()
        }
    }

    /// Aims the line at a vector of a CPU. Interrupts off, while none comes.
    func set(_ target: InterruptTarget, _ wiring: LineWiring, isMasked: Bool) {
        switch self {
        case .ioAPIC(let input): input.set(target, wiring, isMasked: isMasked)
        case .legacy(let input): if isMasked { input.mask() } else { input.unmask() }
        case .message(let input): input.set(target, isMasked: isMasked)
        }
    }

    /// Aims the line, which keeps its vector's number, at another CPU: one write of one register, so whatever comes at
    /// that moment goes to the one or to the other.
    func redirect(to target: InterruptTarget) {
        switch self {
        case .ioAPIC(let input): input.redirect(to: target)
        case .legacy: break
        case .message(let input): input.redirect(to: target)
        }
    }

    /// Whether lines of this chip can go to any CPU.
    var canMove: Bool { !isLegacy }
}
