// What the kernel takes from the firmware's tables. A table that is broken is noted and skipped; the rest
// is used.

/// The firmware's description of the machine.
public struct ACPI: Sendable {
    /// A table that was skipped.
    public struct Skipped: Equatable, Sendable {
        public var signature: ACPISignature
        public var address: PhysicalAddress
        public var problem: ACPIProblem
    }

    public private(set) var interruptControllers: MADT?
    public private(set) var fixed: FADT?
    public private(set) var hpet: HPETTable?
    /// How to switch the machine off; nil when the tables do not say.
    public private(set) var softOff: SleepPackage?
    public private(set) var skipped: [Skipped] = []

    /// More tables than this are not believed.
    private static let maximumTables = 256

    /// Reads the tables that the RSDP at `rsdp` leads to; 0 searches for it where a PC's firmware puts it.
    public init(rsdp: UInt64, in memory: some FirmwareMemory) {
        guard let root = RootPointer(at: rsdp, in: memory) else {
            skipped.append(
                Skipped(signature: .rsdp, address: PhysicalAddress(rsdp), problem: .noRootPointer))
            return
        }
        let addresses = tableAddresses(root, memory)
        for address in addresses { take(address, memory) }
        takeDefinitions(addresses, memory)
    }

    private mutating func note(
        _ signature: ACPISignature, _ address: PhysicalAddress, _ problem: ACPIProblem
    ) {
        skipped.append(Skipped(signature: signature, address: address, problem: problem))
    }

    /// The addresses in the XSDT or, where that is missing or broken, the RSDT.
    private mutating func tableAddresses(_ root: RootPointer, _ memory: some FirmwareMemory)
        -> [PhysicalAddress]
    {
        if let address = root.xsdt, let list = list(address, .xsdt, width: 8, memory) { return list }
        if let address = root.rsdt, let list = list(address, .rsdt, width: 4, memory) { return list }
        return []
    }

    private mutating func list(
        _ address: PhysicalAddress, _ signature: ACPISignature, width: Int, _ memory: some FirmwareMemory
    ) -> [PhysicalAddress]? {
        guard let table = table(address, signature, memory) else { return nil }
        let count = min((table.bytes.count - ACPITable.headerSize) / width, Self.maximumTables)
        var result: [PhysicalAddress] = []
        for index in 0..<count {
            let offset = ACPITable.headerSize + index * width
            let value =
                width == 8
                ? table.bytes.span.little64(at: offset)
                : table.bytes.span.little32(at: offset).map { UInt64($0) }
            if let value, value != 0 { result.append(PhysicalAddress(value)) }
        }
        return result
    }

    /// The table at `address` if it is good and has that signature; else nil, and noted.
    private mutating func table(
        _ address: PhysicalAddress, _ signature: ACPISignature, _ memory: some FirmwareMemory
    ) -> ACPITable? {
        do {
            let table = try ACPITable(at: address, in: memory)
            if table.signature == signature { return table }
            note(signature, address, .wrongSignature)
        } catch {
            note(signature, address, error)
        }
        return nil
    }

    /// Reads the table at `address` if it is of a kind that is wanted.
    private mutating func take(_ address: PhysicalAddress, _ memory: some FirmwareMemory) {
        guard let signature = memory.signature(at: address) else {
            return note(ACPISignature(0), address, .unreadable)
        }
        guard signature == .apic || signature == .facp || signature == .hpet,
            let table = table(address, signature, memory)
        else { return }
        do {
            if signature == .apic, interruptControllers == nil { interruptControllers = try MADT(table) }
            if signature == .facp, fixed == nil { fixed = try FADT(table) }
            if signature == .hpet, hpet == nil { hpet = try HPETTable(table) }
        } catch {
            note(signature, address, error)
        }
    }

    /// Looks for `_S5` in the DSDT and then in the SSDTs.
    private mutating func takeDefinitions(_ addresses: [PhysicalAddress], _ memory: some FirmwareMemory) {
        if let address = fixed?.dsdt, let dsdt = table(address, .dsdt, memory) {
            softOff = SleepPackage(named: .softOff, in: dsdt.bytes.span)
        }
        for address in addresses where softOff == nil {
            guard memory.signature(at: address) == .ssdt, let ssdt = table(address, .ssdt, memory)
            else { continue }
            softOff = SleepPackage(named: .softOff, in: ssdt.bytes.span)
        }
    }
}
