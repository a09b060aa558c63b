// Registers of devices in the kernel's address space, uncached.

import Machine
import Primitives

public enum DeviceMapping {
    /// Maps `bytes` of device registers at `address` (need not be page-aligned) and returns where they are. Never
    /// unmapped. Task context or boot; nil when there is no memory for page tables.
    public static func map(_ address: PhysicalAddress, bytes: UInt) -> VirtualAddress? {
        let offset = UInt(truncatingIfNeeded: address.value) & (pageSize &- 1)
        let pages = (offset &+ bytes &+ pageSize &- 1) / pageSize
        return unsafe MemoryState.current.pointee.kernelTables.withLockInterruptsOff { tables, _ in
            let base = tables.nextDevice
            for page in 0..<pages {
                let frame = PhysicalAddress((address.value & ~4095) &+ UInt64(page &* pageSize))
                let entry = PageTableEntry(
                    frame, [.present, .writable, .global, .cacheDisable, .writeThrough, .noExecute])
                guard KernelPageTable.map(base &+ page &* pageSize, entry, tables) else { return nil }
            }
            // One page stays unmapped behind each device.
            tables.nextDevice = base &+ (pages &+ 1) &* pageSize
            return VirtualAddress(base &+ offset)
        }
    }
}
