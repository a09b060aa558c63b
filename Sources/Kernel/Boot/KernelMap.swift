// The kernel's own page tables, built once by the boot CPU: the direct map of physical memory in the
// largest pages that fit, and inside it the kernel's image with the protection of each of its parts.
// Nothing is mapped writable and executable; the boot tables, which are, serve only to start CPUs.

import CMachine
import Machine
import Primitives

/// Page-table entry bits used here (Intel SDM volume 3, 4.5).
private enum Bits {
    static let present: UInt64 = 1
    static let writable: UInt64 = 2
    static let large: UInt64 = 1 << 7
    static let global: UInt64 = 1 << 8
    static let noExecute: UInt64 = 1 << 63
    static let address: UInt64 = 0x000f_ffff_ffff_f000
    static let data = present | writable | global | noExecute
}

struct KernelMap {
    private static let mib2: UInt64 = 2 << 20
    private static let gib: UInt64 = 1 << 30

    /// Physical address of the top-level table.
    let root: UInt64
    /// First byte behind the kernel's image and the tables built here.
    private(set) var end: UInt64
    private let gigabytePages: Bool

    /// Builds the tables behind the kernel's image for `map`. The boot tables reach the first 4 GiB, and
    /// the image lies far below that.
    init(_ map: [MemoryMapEntry], gigabytePages: Bool) {
        self.gigabytePages = gigabytePages
        end = Self.physical(UInt64(boot_kernel_end()))
        root = end
        end = Self.emptyTable(at: end)
        for entry in map where Self.isMapped(entry, in: map) {
            addDirect(
                from: entry.start & ~(Self.mib2 - 1), to: (entry.end + Self.mib2 - 1) & ~(Self.mib2 - 1))
        }
        protectImage()
    }

    private static func physical(_ address: UInt64) -> UInt64 { address - UInt64(KernelLayout.directMap) }

    /// Memory and firmware tables; also reserved ranges below 1 MiB or touching the end of low memory,
    /// where firmware keeps its ACPI tables. Device windows stay out.
    private static func isMapped(_ entry: MemoryMapEntry, in map: [MemoryMapEntry]) -> Bool {
        switch entry.kind {
        case .usable, .acpi, .acpiNonVolatile: return true
        case .reserved:
            guard entry.size <= 16 << 20 else { return false }
            return entry.end <= 1 << 20 || map.contains { $0.kind == .usable && $0.end == entry.start }
        default: return false
        }
    }

    private static func emptyTable(at address: UInt64) -> UInt64 {
        for index in 0..<512 { table(address)[index] = 0 }
        return address + 4096
    }

    /// A page table in the direct map.
    private static func table(_ address: UInt64) -> Table {
        Table(base: UInt(address) + KernelLayout.directMap)
    }

    /// The 512 entries of one table.
    private struct Table {
        let base: UInt

        subscript(index: Int) -> UInt64 {
            get { unsafe UnsafePointer<UInt64>(bitPattern: base)![index & 511] }
            // The table is a whole page in the direct map, and the index stays inside it.
            nonmutating set { unsafe UnsafeMutablePointer<UInt64>(bitPattern: base)![index & 511] = newValue }
        }
    }

    /// The table that `entry` of the table at `address` leads to, made if there is none.
    private mutating func next(_ address: UInt64, _ entry: Int) -> UInt64 {
        let table = Self.table(address)
        if table[entry] & Bits.present != 0 { return table[entry] & Bits.address }
        let new = end
        end = Self.emptyTable(at: new)
        table[entry] = new | Bits.present | Bits.writable
        return new
    }

    private mutating func addDirect(from start: UInt64, to stop: UInt64) {
        var address = start
        while address < stop {
            let virtual = address + UInt64(KernelLayout.directMap)
            let directory = next(root, Int(virtual >> 39) & 511)
            let slot = Int(virtual >> 30) & 511
            let image = Self.physical(UInt64(boot_kernel_start()))
            if gigabytePages, address % Self.gib == 0, stop - address >= Self.gib, address > image {
                Self.table(directory)[slot] = address | Bits.data | Bits.large
                address += Self.gib
            } else {
                let pages = next(directory, slot)
                Self.table(pages)[Int(virtual >> 21) & 511] = address | Bits.data | Bits.large
                address += Self.mib2
            }
        }
    }

    /// Splits the image's large pages and gives each of its pages its protection.
    private mutating func protectImage() {
        var address = Self.physical(UInt64(boot_kernel_start()))
        let stop = Self.physical(UInt64(boot_kernel_end()))
        while address < stop {
            let virtual = address + UInt64(KernelLayout.directMap)
            let pages = next(next(root, Int(virtual >> 39) & 511), Int(virtual >> 30) & 511)
            split(pages, Int(virtual >> 21) & 511, from: address)
            address += Self.mib2
        }
    }

    private mutating func split(_ pages: UInt64, _ slot: Int, from start: UInt64) {
        let small = end
        end = Self.emptyTable(at: small)
        for index in 0..<512 {
            let address = start + UInt64(index) * 4096
            let protection = Self.protection(address + UInt64(KernelLayout.directMap))
            Self.table(small)[index] = protection == 0 ? 0 : address | protection
        }
        Self.table(pages)[slot] = small | Bits.present | Bits.writable
    }

    private static func protection(_ virtual: UInt64) -> UInt64 {
        let address = UInt(virtual)
        // An overflow of the boot stack faults.
        if address == boot_boot_stack_guard() { return 0 }
        if address >= boot_kernel_data_start() || address < boot_kernel_start() { return Bits.data }
        if address >= boot_kernel_rodata_start() { return Bits.present | Bits.global | Bits.noExecute }
        return Bits.present | Bits.global
    }
}
