// The root system description pointer (ACPI specification 6.5, 5.2.5): "RSD PTR ", on a 16-byte boundary.

struct RootPointer: Equatable {
    var rsdt: PhysicalAddress?
    var xsdt: PhysicalAddress?

    private static let signature: UInt64 = 0x2052_5450_2044_5352
    private static let firstSize = 20
    private static let fullSize = 36
    /// Real-mode segment of the extended BIOS data area.
    private static let extendedAreaPointer: UInt64 = 0x40e
    private static let firmware: UInt64 = 0xe0000
    private static let firmwareEnd: UInt64 = 0x100000

    /// The structure at `address`, or, if that is 0 or not one, the first one in the places where a
    /// PC's firmware puts it: the first KiB of the extended BIOS data area, and 0xe0000 to 0xfffff.
    init?(at address: UInt64, in memory: some FirmwareMemory) {
        if address != 0, let found = Self.read(address, memory) {
            self = found
        } else if let found = Self.search(memory) {
            self = found
        } else {
            return nil
        }
    }

    private static func search(_ memory: some FirmwareMemory) -> RootPointer? {
        if let segment = memory.little16(at: PhysicalAddress(extendedAreaPointer)),
            segment != 0, let found = scan(UInt64(segment) << 4, bytes: 1024, memory)
        {
            return found
        }
        return scan(firmware, bytes: firmwareEnd - firmware, memory)
    }

    private static func scan(_ start: UInt64, bytes: UInt64, _ memory: some FirmwareMemory) -> RootPointer? {
        // In pieces: some of them may not be readable.
        var address = start
        while address < start + bytes {
            if let piece = memory.bytes(at: PhysicalAddress(address), count: 1024) {
                for offset in stride(from: 0, to: 1024, by: 16)
                where piece.span.little64(at: offset) == signature {
                    if let found = read(address + UInt64(offset), memory) { return found }
                }
            }
            address += 1024
        }
        return nil
    }

    private static func read(_ address: UInt64, _ memory: some FirmwareMemory) -> RootPointer? {
        guard let first = memory.bytes(at: PhysicalAddress(address), count: firstSize),
            first.span.little64(at: 0) == signature, ACPITable.sum(first.span) == 0
        else { return nil }
        var result = RootPointer(rsdt: pointer(first.span.little32(at: 16).map { UInt64($0) }), xsdt: nil)
        if let revision = first.span.byte(at: 15), revision >= 2,
            let full = memory.bytes(at: PhysicalAddress(address), count: fullSize),
            ACPITable.sum(full.span) == 0
        {
            result.xsdt = pointer(full.span.little64(at: 24))
        }
        return result
    }

    private static func pointer(_ value: UInt64?) -> PhysicalAddress? {
        value.flatMap { $0 == 0 ? nil : PhysicalAddress($0) }
    }

    private init(rsdt: PhysicalAddress?, xsdt: PhysicalAddress?) {
        self.rsdt = rsdt
        self.xsdt = xsdt
    }
}
