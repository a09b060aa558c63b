// The translation of addresses on a simulated CPU: page tables walked in software, with a TLB that
// really remembers, so that a forgotten invalidation shows.

import Synchronization

public enum Translation {
    public static var root: PhysicalAddress { SimulatedCPU.current.translation.root }

    public static func load(_ root: PhysicalAddress) {
        load(root, context: 0, keeping: false)
    }

    public static func load(_ root: PhysicalAddress, context: UInt32, keeping: Bool) {
        let cpu = SimulatedCPU.current
        if context == 0, unsafe !TranslationContext.isSupported { cpu.translation.contexts = [:] }
        cpu.translation.root = root
        cpu.translation.context = context
        if !keeping { cpu.translation.remembered = [:] }
    }

    public static func invalidate(_ address: UInt) {
        SimulatedCPU.current.translation.remembered[address >> 12] = nil
    }

    public static func invalidateAll() { SimulatedCPU.current.translation.remembered = [:] }

    /// What a user-mode access to `address` finds: the address in RAM, or nil for a page fault. Sets accessed and
    /// dirty bits as the CPU does, and believes the TLB before the tables.
    public static func access(_ address: UInt, write: Bool) -> PhysicalAddress? {
        guard address < 1 << 47 else { return nil }
        let cpu = SimulatedCPU.current
        if let entry = cpu.translation.remembered[address >> 12], allows(entry, write),
            !write || entry.contains(.dirty)
        {
            return entry.address + UInt64(address & 4095)
        }
        guard let entry = walk(cpu.translation.root, address, write: write) else {
            // A fault makes the CPU forget the page too (Intel SDM volume 3, 4.10.4.1).
            cpu.translation.remembered[address >> 12] = nil
            return nil
        }
        cpu.translation.remembered[address >> 12] = entry
        return entry.address + UInt64(address & 4095)
    }

    private static func allows(_ entry: PageTableEntry, _ write: Bool) -> Bool {
        entry.contains([.present, .user]) && (!write || entry.isWritable)
    }

    private static func walk(_ root: PhysicalAddress, _ address: UInt, write: Bool) -> PageTableEntry? {
        guard root.value != 0 else { return nil }
        var table = root
        for level in [4, 3, 2, 1] {
            let place = table + UInt64(PageTableLevel.index(address, level: level) * 8)
            if level == 1 { return use(place, write: write) }
            let entry = unsafe place.pointer.assumingMemoryBound(to: PageTableEntry.self).pointee
            guard allows(entry, write) else { return nil }
            table = entry.address
        }
        return nil
    }

    /// Marks the entry at `place` as used, unless another CPU changes it meanwhile.
    private static func use(_ place: PhysicalAddress, write: Bool) -> PageTableEntry? {
        let slot = unsafe place.pointer.assumingMemoryBound(to: Atomic<UInt64>.self)
        while true {
            let entry = unsafe PageTableEntry(slot.pointee.load(ordering: .acquiring))
            guard allows(entry, write) else { return nil }
            let used = entry.adding(write ? [.accessed, .dirty] : .accessed)
            if unsafe slot.pointee.compareExchange(
                expected: entry.value, desired: used.value, ordering: .sequentiallyConsistent
            ).exchanged {
                return used
            }
        }
    }
}

/// The CR3 and the TLB of one simulated CPU.
struct SimulatedTranslation {
    var root = PhysicalAddress(0)
    /// The identifier under which it remembers what it looks up now.
    var context: UInt32 = 0
    var contexts: [UInt32: [UInt: PageTableEntry]] = [:]

    var remembered: [UInt: PageTableEntry] {
        get { contexts[context] ?? [:] }
        _modify { yield &contexts[context, default: [:]] }
    }
}
