// Looking at kernel memory that may not be there.

import CMachine

public enum CheckedMemory {
    /// The 8 bytes at `address`; nil where reading faults. Any context.
    @_semantics("no_performance_analysis")
    public static func load(_ address: VirtualAddress) -> UInt64? {
        var value: UInt64 = 0
        // A read that faults is answered with false; the pointer is to a local.
        return unsafe machine_load_checked(address.value, &value) ? value : nil
    }

    /// The byte at `address`; nil where reading faults. Any context.
    @_semantics("no_performance_analysis")
    public static func loadByte(_ address: VirtualAddress) -> UInt8? {
        var value: UInt8 = 0
        // A read that faults is answered with false; the pointer is to a local.
        return unsafe machine_load_byte_checked(address.value, &value) ? value : nil
    }
}
