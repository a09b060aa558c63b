// Names for kernel addresses: the table that the host program writes into the image after linking
// (its format is in Sources/Tool/Kernel/SymbolTable.swift).

import Machine
import Primitives

/// A symbol table in memory. Reads nothing outside its bytes, however wrong the table is.
struct KernelSymbols: ~Escapable {
    private static let header = 24
    private let bytes: Span<UInt8>
    /// What the entries' addresses are relative to.
    private let base: UInt
    private let count: Int

    /// Nil when the bytes hold no table.
    @_lifetime(copy bytes)
    init?(_ bytes: Span<UInt8>, base: UInt) {
        guard bytes.little64(at: 0) == 0x004d_5953_5355_5041, let count = bytes.little64(at: 16),
            count > 0, count <= UInt64(max(bytes.count - Self.header, 0) / 8)
        else { return nil }
        self.bytes = bytes
        self.base = base
        self.count = Int(count)
    }

    private func offset(_ index: Int) -> UInt? {
        bytes.little32(at: Self.header + 8 * index).map { UInt($0) }
    }

    /// The last entry that is not above `address`.
    private func entry(for address: UInt) -> Int? {
        guard address >= base, let first = offset(0), first <= address - base else { return nil }
        let wanted = address - base
        var low = 0
        var high = count
        while high - low > 1 {
            let middle = (low + high) / 2
            guard let found = offset(middle) else { return nil }
            if found <= wanted { low = middle } else { high = middle }
        }
        return low
    }

    /// `name+0xoffset/0xsize`, or nil where no function is.
    func describe(_ address: UInt) -> LogMessage? {
        guard let index = entry(for: address), let start = offset(index),
            let name = bytes.little32(at: Self.header + 8 * index + 4)
        else { return nil }
        let first = Int(name)
        var end = first
        while end < bytes.count, bytes[end] != 0, end - first < 120 { end += 1 }
        guard first < end else { return nil }
        let size = index + 1 < count ? (offset(index + 1) ?? start) &- start : 0
        return "\(bytes.extracting(first..<end))+0x\(hex: address - base - start)/0x\(hex: size)"
    }

    #if APUS_KERNEL
        /// `name+0xoffset/0xsize` of the kernel's function at `address`, or the bare address.
        static func name(_ address: UInt) -> LogMessage {
            let start = boot_symbols_start()
            // The section lies in read-only memory between its two symbols.
            let section = unsafe UnsafeBufferPointer<UInt8>(
                start: UnsafePointer(bitPattern: start), count: Int(boot_symbols_end() &- start))
            let table = unsafe KernelSymbols(section.span, base: boot_kernel_start())
            if let table, let name = table.describe(address) { return name }
            return "0x\(hex: address, digits: 16)"
        }
    #endif
}

#if APUS_KERNEL
    import CMachine
#endif
