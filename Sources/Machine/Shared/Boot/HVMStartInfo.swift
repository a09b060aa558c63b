// What the boot protocol (PVH) hands over: `hvm_start_info`, its memory map and its modules, read once at
// boot (Xen's include/public/arch-x86/hvm/start_info.h states the layout).

/// One range of the machine's memory map.
public struct MemoryMapEntry: Sendable, Equatable {
    /// Types of ranges (ACPI specification 6.4, 15: the E820 types).
    public enum Kind: UInt32, Sendable {
        case usable = 1
        case reserved = 2
        case acpi = 3
        case acpiNonVolatile = 4
        case unusable = 5
        case disabled = 6
        case persistent = 7
    }

    public var start: UInt64
    /// Bytes; `start + size` does not wrap.
    public var size: UInt64
    public var kind: Kind
    public var end: UInt64 { start + size }

    public init(start: UInt64, size: UInt64, kind: Kind) {
        self.start = start
        self.size = size
        self.kind = kind
    }
}

public struct HVMStartInfo: Sendable {
    /// Why a start-info structure cannot be used.
    public enum Failure: Error, Equatable, Sendable {
        case badMagic(UInt64)
        case noMemoryMap
    }

    public static let magic: UInt64 = 0x336e_c578
    /// More entries than this are not believed.
    public static let maximumMemoryMapEntries = 128

    public private(set) var memoryMap: [MemoryMapEntry] = []
    /// Where the initial ramdisk lies, if one was given.
    public private(set) var ramdisk: (start: UInt64, size: UInt64)?
    public private(set) var commandLine: UInt64
    /// Physical address of the ACPI RSDP, 0 if the firmware is to be searched for it.
    public private(set) var rsdp: UInt64

    /// Reads the structure at physical `address`; `load` reads eight bytes at any physical address.
    public init(at address: UInt64, load: (UInt64) -> UInt64) throws(Failure) {
        let head = load(address)
        guard head & 0xffff_ffff == Self.magic else { throw .badMagic(head & 0xffff_ffff) }
        let version = head >> 32
        commandLine = load(address + 24)
        rsdp = load(address + 32)
        let modules = load(address + 8) >> 32
        if modules > 0 {
            let list = load(address + 16)
            let size = load(list + 8)
            if size > 0 { ramdisk = (load(list), size) }
        }
        guard version >= 1 else { throw .noMemoryMap }
        let map = load(address + 40)
        let count = Int(load(address + 48) & 0xffff_ffff)
        guard count > 0, count <= Self.maximumMemoryMapEntries else { throw .noMemoryMap }
        for index in 0..<UInt64(count) { readEntry(at: map + index * 24, load) }
    }

    private mutating func readEntry(at address: UInt64, _ load: (UInt64) -> UInt64) {
        let start = load(address)
        let size = load(address + 8)
        let type = UInt32(truncatingIfNeeded: load(address + 16))
        guard size > 0, !start.addingReportingOverflow(size).overflow else { return }
        // A type from the future is not ours to use.
        let kind = MemoryMapEntry.Kind(rawValue: type) ?? .reserved
        memoryMap.append(MemoryMapEntry(start: start, size: size, kind: kind))
    }
}
