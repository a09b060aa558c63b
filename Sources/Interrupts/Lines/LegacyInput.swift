// The chip of a line without an I/O APIC (`noapic`, or none there): one of the sixteen inputs of the two 8259s, which
// interrupt the boot CPU through LINT0 of its local APIC. Their vectors are fixed.

import Machine
import Primitives

struct LegacyInput: Sendable {
    let pin: Int

    /// The masks of both chips. Interrupts take it too.
    private static let masks = SpinLock<UInt16>(0xffff)

    /// Where the boot CPU gets it.
    var target: InterruptTarget {
        InterruptTarget(
            cpu: 0, apicID: CPUArea.apicID(of: 0) ?? 0,
            vector: InterruptControllers.legacyVector &+ UInt8(truncatingIfNeeded: pin))
    }

    func mask() { change { $0 | 1 << UInt16(pin) } }
    func unmask() { change { $0 & ~(1 << UInt16(pin)) } }

    /// The lock is made at its first use, at boot, which allocates nothing.
    @_semantics("no_performance_analysis") @inline(never)
    private func change(_ body: (UInt16) -> UInt16) {
        Self.masks.withLockInterruptsOff { masks, _ in
            masks = body(masks)
            InterruptController8259.setMasks(masks)
        }
    }

    /// Whether the interrupt is real: a line that fell back before it was acknowledged comes as number 7 of its chip,
    /// which is then not in service, and wants no acknowledgement there (8259A data sheet).
    @_semantics("no_performance_analysis")
    var isInService: Bool {
        if pin & 7 != 7 { return true }
        return Self.masks.withLockInterruptsOff { _, _ in InterruptController8259.isInService(pin) }
    }

    /// Acknowledges the interrupt; for a spurious one of the second chip only at the first.
    @_semantics("no_performance_analysis")
    func acknowledge(isSpurious: Bool = false) {
        Self.masks.withLockInterruptsOff { _, _ in
            if isSpurious {
                if pin >= 8 { InterruptController8259.acknowledge(2) }
            } else {
                InterruptController8259.acknowledge(pin)
            }
        }
    }
}
