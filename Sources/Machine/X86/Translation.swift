// The translation of addresses on this CPU: which page table is loaded, and what the TLB remembers of it.

import CMachine

public enum Translation {
    /// With this bit in what CR3 is loaded with, the TLB keeps what it knows under that identifier (Intel SDM volume
    /// 3, 4.10.4.1).
    private static let keep: UInt64 = 1 << 63

    /// The root of the page table this CPU uses.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var root: PhysicalAddress { PhysicalAddress(machine_read_cr3() & 0x000f_ffff_ffff_f000) }

    /// Loads a page table; the TLB forgets everything but global pages (Intel SDM volume 3, 4.10.4.1), or, where
    /// contexts are supported, everything of context 0.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func load(_ root: PhysicalAddress) { machine_write_cr3(root.value) }

    /// Loads a page table under a context's identifier, where those are supported: the TLB forgets what it knows under
    /// it unless `keeping`.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func load(_ root: PhysicalAddress, context: UInt32, keeping: Bool) {
        machine_write_cr3(root.value | UInt64(context) | (keeping ? keep : 0))
    }

    /// Forgets the page at `address`, on this CPU only and in the current context, or global.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func invalidate(_ address: UInt) { machine_invlpg(address) }

    /// Forgets all pages of the current context that are not global, on this CPU only.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func invalidateAll() { machine_write_cr3(machine_read_cr3()) }
}
