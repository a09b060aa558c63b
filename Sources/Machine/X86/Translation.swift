// The translation of addresses on this CPU: which page table is loaded, and what the TLB remembers of it.

import CMachine

public enum Translation {
    /// The root of the page table this CPU uses.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var root: PhysicalAddress { PhysicalAddress(machine_read_cr3() & 0x000f_ffff_ffff_f000) }

    /// Loads a page table; the TLB forgets everything but global pages (Intel SDM volume 3, 4.10.4.1).
    @_semantics("no_performance_analysis") @inline(__always)
    public static func load(_ root: PhysicalAddress) { machine_write_cr3(root.value) }

    /// Forgets the page at `address`, on this CPU only.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func invalidate(_ address: UInt) { machine_invlpg(address) }

    /// Forgets all pages that are not global, on this CPU only.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func invalidateAll() { machine_write_cr3(machine_read_cr3()) }
}
