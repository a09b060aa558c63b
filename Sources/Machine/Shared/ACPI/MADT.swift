// The multiple APIC description table (ACPI specification 6.5, 5.2.12): CPUs, I/O APICs, and how the ISA
// lines are wired.

/// Polarity and trigger of a line, as the table says.
public struct LineWiring: Equatable, Sendable {
    public var isActiveLow: Bool
    public var isLevel: Bool

    public init(isActiveLow: Bool, isLevel: Bool) {
        self.isActiveLow = isActiveLow
        self.isLevel = isLevel
    }

    /// The ISA bus: edge, active high.
    public static let isa = LineWiring(isActiveLow: false, isLevel: false)
    /// PCI: level, active low.
    public static let pci = LineWiring(isActiveLow: true, isLevel: true)

    /// From the MPS INTI flags (table 5.26) of an ISA source, where "conforms to the bus" means ISA.
    init(flags: UInt16) {
        isActiveLow = flags & 3 == 3
        isLevel = flags >> 2 & 3 == 3
    }
}

public struct MADT: Equatable, Sendable {
    public struct CPU: Equatable, Sendable {
        public var apicID: UInt32
        /// ACPI's own number for it.
        public var uid: UInt32
    }

    public struct IOAPIC: Equatable, Sendable {
        public var identifier: UInt8
        public var address: PhysicalAddress
        /// Number of its first line among all of the machine's.
        public var firstLine: UInt32
    }

    /// An ISA line that is wired to another input than its own number says, or otherwise than ISA.
    public struct SourceOverride: Equatable, Sendable {
        public var source: UInt8
        public var line: UInt32
        public var wiring: LineWiring

        public init(source: UInt8, line: UInt32, wiring: LineWiring) {
            self.source = source
            self.line = line
            self.wiring = wiring
        }
    }

    /// An input of an I/O APIC that is an NMI.
    public struct NMISource: Equatable, Sendable {
        public var line: UInt32
        public var wiring: LineWiring
    }

    /// LINT0 or LINT1 of a CPU's local APIC that is an NMI.
    public struct LocalNMI: Equatable, Sendable {
        /// ACPI's number of the CPU; nil for all.
        public var uid: UInt32?
        public var line: Int
        public var wiring: LineWiring
    }

    public private(set) var localAPIC: PhysicalAddress
    /// Whether there is also a pair of 8259s, to be masked.
    public private(set) var has8259: Bool
    /// Those that can be used, in the table's order, each identifier once.
    public private(set) var cpus: [CPU] = []
    public private(set) var ioAPICs: [IOAPIC] = []
    public private(set) var overrides: [SourceOverride] = []
    public private(set) var nmiSources: [NMISource] = []
    public private(set) var localNMIs: [LocalNMI] = []
    /// Entries that were too short for their kind, or of a wrong number: skipped.
    public private(set) var badEntries = 0

    private static let firstEntry = 44

    init(_ table: ACPITable) throws(ACPIProblem) {
        let bytes = table.bytes.span
        guard let address = bytes.little32(at: 36), let flags = bytes.little32(at: 40) else {
            throw .badLength(UInt32(bytes.count))
        }
        localAPIC = PhysicalAddress(UInt64(address))
        has8259 = flags & 1 != 0
        var offset = Self.firstEntry
        while offset < bytes.count {
            guard let length = bytes.byte(at: offset + 1), length >= 2, offset + Int(length) <= bytes.count
            else {
                throw .badEntry(offset: offset)
            }
            if !take(bytes.extracting(offset..<offset + Int(length))) { badEntries += 1 }
            offset += Int(length)
        }
    }

    /// Whether the entry was well-formed or of a kind that is not wanted.
    private mutating func take(_ entry: Span<UInt8>) -> Bool {
        switch entry[0] {
        case 0: takeLocalAPIC(entry)
        case 1: takeIOAPIC(entry)
        case 2: takeOverride(entry)
        case 3: takeNMISource(entry)
        case 4: takeLocalNMI(entry)
        case 5: takeAddress(entry)
        case 9: takeLocalX2APIC(entry)
        case 10: takeLocalX2NMI(entry)
        default: true
        }
    }

    private mutating func takeLocalAPIC(_ entry: Span<UInt8>) -> Bool {
        guard let uid = entry.byte(at: 2), let identifier = entry.byte(at: 3),
            let flags = entry.little32(at: 4)
        else { return false }
        // 0xff addresses all CPUs, so it is nobody's.
        if identifier != 0xff { addCPU(UInt32(identifier), UInt32(uid), flags) }
        return true
    }

    private mutating func takeLocalX2APIC(_ entry: Span<UInt8>) -> Bool {
        guard let identifier = entry.little32(at: 4), let flags = entry.little32(at: 8),
            let uid = entry.little32(at: 12)
        else { return false }
        if identifier != .max { addCPU(identifier, uid, flags) }
        return true
    }

    private mutating func addCPU(_ identifier: UInt32, _ uid: UInt32, _ flags: UInt32) {
        let isEnabled = flags & 1 != 0
        if isEnabled, !cpus.contains(where: { $0.apicID == identifier }) {
            cpus.append(CPU(apicID: identifier, uid: uid))
        }
    }

    private mutating func takeIOAPIC(_ entry: Span<UInt8>) -> Bool {
        guard let identifier = entry.byte(at: 2), let address = entry.little32(at: 4),
            let firstLine = entry.little32(at: 8), address != 0, firstLine < 1 << 16
        else { return false }
        ioAPICs.append(
            IOAPIC(
                identifier: identifier, address: PhysicalAddress(UInt64(address)), firstLine: firstLine))
        return true
    }

    private mutating func takeOverride(_ entry: Span<UInt8>) -> Bool {
        guard let bus = entry.byte(at: 2), let source = entry.byte(at: 3), let line = entry.little32(at: 4),
            let flags = entry.little16(at: 8), bus == 0, source < 16, line < 1 << 16
        else { return false }
        overrides.append(SourceOverride(source: source, line: line, wiring: LineWiring(flags: flags)))
        return true
    }

    private mutating func takeNMISource(_ entry: Span<UInt8>) -> Bool {
        guard let flags = entry.little16(at: 2), let line = entry.little32(at: 4) else { return false }
        nmiSources.append(NMISource(line: line, wiring: LineWiring(flags: flags)))
        return true
    }

    private mutating func takeLocalNMI(_ entry: Span<UInt8>) -> Bool {
        guard let uid = entry.byte(at: 2), let flags = entry.little16(at: 3), let line = entry.byte(at: 5),
            line < 2
        else { return false }
        localNMIs.append(
            LocalNMI(
                uid: uid == 0xff ? nil : UInt32(uid), line: Int(line), wiring: LineWiring(flags: flags)))
        return true
    }

    private mutating func takeLocalX2NMI(_ entry: Span<UInt8>) -> Bool {
        guard let flags = entry.little16(at: 2), let uid = entry.little32(at: 4),
            let line = entry.byte(at: 8),
            line < 2
        else { return false }
        localNMIs.append(
            LocalNMI(uid: uid == .max ? nil : uid, line: Int(line), wiring: LineWiring(flags: flags)))
        return true
    }

    private mutating func takeAddress(_ entry: Span<UInt8>) -> Bool {
        guard let address = entry.little64(at: 4) else { return false }
        localAPIC = PhysicalAddress(address)
        return true
    }
}
