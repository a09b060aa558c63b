// The kernel's half of every page table. Boot code builds the direct map; here pages are added at run
// time for kernel stacks and device registers. The top-level entries of both are filled before
// the first address space exists and never change, so all page tables share what lies below them.

import Machine
import Primitives
import Synchronization

/// Guards the tables below the shared top-level entries. Interrupts off.
struct KernelTables: ~Copyable {
    /// The page table that boot code built, 0 before `KernelPageTable.initialize`.
    var root = PhysicalAddress(0)
    var stacks = StackSlots()
    /// Where the next device's registers will be mapped.
    var nextDevice = KernelLayout.devices
}

public enum KernelPageTable {
    /// First and last top-level entry that is the kernel's.
    private static let entries = topLevelIndex(KernelLayout.userEnd)...topLevelIndex(kernelEnd &- 1)
    /// 1 TiB behind the device registers.
    private static let kernelEnd = KernelLayout.devices &+ 1 << 40

    private static func topLevelIndex(_ address: UInt) -> Int { PageTableLevel.index(address, level: 4) }

    /// Takes over the page table at `root`, which this CPU uses already, and prepares it for sharing. Boot CPU,
    /// once, after `Frames.initialize`.
    public static func initialize(root: PhysicalAddress) {
        let state = unsafe MemoryState.current
        unsafe state.pointee.kernelTables.withLockInterruptsOff { tables, _ in
            tables.root = root
            let table = unsafe PageTable(root: root)
            for index in topLevelIndex(KernelLayout.stacks)...entries.upperBound
            where unsafe !table.top(index).pointee.isPresent {
                guard let frame = Frames.allocateZeroed() else {
                    memoryPanic("no memory for the kernel's page tables")
                }
                unsafe table.top(index).pointee = PageTableEntry(frame.address, [.present, .writable])
            }
        }
        guard let zero = Frames.allocateZeroed() else { memoryPanic("no memory for the page of zeros") }
        unsafe state.pointee.zeroFrame.store(zero.number, ordering: .relaxed)
        unsafe state.pointee.kernelRoot.store(root.value, ordering: .releasing)
    }

    /// The page table that maps the kernel alone.
    @inline(__always)
    public static var root: PhysicalAddress {
        unsafe PhysicalAddress(MemoryState.current.pointee.kernelRoot.load(ordering: .relaxed))
    }

    /// Enters the kernel's top-level entries into the root of a new page table.
    static func share(with root: PhysicalAddress) {
        let count = entries.count * MemoryLayout<PageTableEntry>.stride
        let offset = entries.lowerBound * MemoryLayout<PageTableEntry>.stride
        // Both are whole tables; the kernel's top level does not change any more.
        unsafe (root.pointer + offset).copyMemory(from: Self.root.pointer + offset, byteCount: count)
    }

    /// Takes them out again, so that the root is all zero.
    static func unshare(_ root: PhysicalAddress) {
        let count = entries.count * MemoryLayout<PageTableEntry>.stride
        let offset = entries.lowerBound * MemoryLayout<PageTableEntry>.stride
        // Inside the root, which no CPU uses any more.
        unsafe (root.pointer + offset).initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }

    /// Maps one page of the kernel's half. With the lock of `KernelTables` held.
    static func map(
        _ address: UInt, _ entry: PageTableEntry, _ tables: borrowing KernelTables
    ) -> Bool {
        let table = unsafe PageTable(root: tables.root)
        guard let slot = unsafe table.kernelEntry(at: address) else { return false }
        unsafe slot.pointee = entry
        return true
    }

    /// Removes a page of the kernel's half and returns what was there. No CPU forgets the page by this.
    static func unmap(_ address: UInt, _ tables: borrowing KernelTables) -> PageTableEntry {
        let table = unsafe PageTable(root: tables.root)
        guard let slot = unsafe table.entry(at: address) else { return .none }
        let old = unsafe slot.pointee
        unsafe slot.pointee = .none
        return old
    }
}
