// The configuration space of PCI functions, one access at a time.

import Machine
import Primitives

/// Interrupts mask messages, so the lock is for every context but NMI.
public enum PCIConfiguration {
    /// Made at its first use, at boot, which allocates nothing.
    private static let ports = SpinLock<Void>(())

    @_semantics("no_performance_analysis") @inline(never)
    public static func read(_ function: PCIAddress, _ offset: UInt8) -> UInt32 {
        ports.withLockInterruptsOff { _, _ in function.read(offset) }
    }

    @_semantics("no_performance_analysis") @inline(never)
    public static func write(_ function: PCIAddress, _ offset: UInt8, _ value: UInt32) {
        ports.withLockInterruptsOff { _, _ in function.write(offset, value) }
    }

    public static func read16(_ function: PCIAddress, _ offset: UInt8) -> UInt16 {
        UInt16(truncatingIfNeeded: read(function, offset & 0xfc) >> (UInt32(offset & 2) * 8))
    }

    public static func read8(_ function: PCIAddress, _ offset: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: read(function, offset & 0xfc) >> (UInt32(offset & 3) * 8))
    }

    /// Replaces 16 bits and leaves the other half of the word alone.
    @_semantics("no_performance_analysis") @inline(never)
    public static func update16(_ function: PCIAddress, _ offset: UInt8, _ body: (UInt16) -> UInt16) {
        ports.withLockInterruptsOff { _, _ in
            let shift = UInt32(offset & 2) * 8
            let word = function.read(offset & 0xfc)
            let new = body(UInt16(truncatingIfNeeded: word >> shift))
            function.write(offset & 0xfc, word & ~(0xffff << shift) | UInt32(new) << shift)
        }
    }
}
