// One table of the firmware: a header with signature, length and checksum, and what follows (ACPI
// specification 6.5, 5.2.6).

/// Four characters that name a table.
public struct ACPISignature: Equatable, Sendable {
    public let value: UInt32
    public init(_ value: UInt32) { self.value = value }

    /// From a text of four ASCII characters.
    public init(_ text: StaticString) {
        var value: UInt32 = 0
        for index in 0..<min(text.utf8CodeUnitCount, 4) {
            // The index is below the number of code units.
            value |= unsafe UInt32(text.utf8Start[index]) << UInt32(index * 8)
        }
        self.value = value
    }

    /// The character at `index`, 0 to 3.
    public func character(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: value >> UInt32(index * 8)) }

    public static let apic = ACPISignature("APIC")
    public static let facp = ACPISignature("FACP")
    public static let hpet = ACPISignature("HPET")
    public static let dsdt = ACPISignature("DSDT")
    public static let ssdt = ACPISignature("SSDT")
    public static let rsdt = ACPISignature("RSDT")
    public static let xsdt = ACPISignature("XSDT")
    public static let rsdp = ACPISignature("RSD ")
}

/// Why a table was skipped.
public enum ACPIProblem: Error, Equatable, Sendable {
    /// No "RSD PTR " with a good checksum.
    case noRootPointer
    /// Not in memory that can be read.
    case unreadable
    /// The bytes do not add up to zero.
    case badChecksum
    /// Shorter than its kind must be, or longer than is believed.
    case badLength(UInt32)
    /// Another signature than the pointer to it promises.
    case wrongSignature
    /// An entry inside reaches beyond the table's end.
    case badEntry(offset: Int)
}

/// A table whose length and checksum are right.
public struct ACPITable: Sendable {
    public static let headerSize = 36
    /// Longer tables are not believed; the largest seen in the field are some 300 KiB.
    public static let maximumSize: UInt32 = 4 << 20

    public let address: PhysicalAddress
    public let signature: ACPISignature
    public let bytes: [UInt8]

    /// Reads the table at `address`.
    public init(at address: PhysicalAddress, in memory: some FirmwareMemory) throws(ACPIProblem) {
        guard let header = memory.bytes(at: address, count: Self.headerSize),
            let signature = header.span.little32(at: 0), let length = header.span.little32(at: 4)
        else { throw .unreadable }
        guard length >= Self.headerSize, length <= Self.maximumSize else { throw .badLength(length) }
        guard let bytes = memory.bytes(at: address, count: Int(length)) else { throw .unreadable }
        guard Self.sum(bytes.span) == 0 else { throw .badChecksum }
        self.address = address
        self.signature = ACPISignature(signature)
        self.bytes = bytes
    }

    /// The sum of all bytes, modulo 256.
    static func sum(_ bytes: Span<UInt8>) -> UInt8 {
        var sum: UInt8 = 0
        for index in bytes.indices { sum &+= bytes[index] }
        return sum
    }
}

/// An address in one of the ACPI address spaces (5.2.3.2).
public struct GenericAddress: Equatable, Sendable {
    public enum Space: UInt8, Sendable {
        case memory = 0
        case port = 1
    }

    public var space: Space
    public var address: UInt64

    public init(space: Space, address: UInt64) {
        self.space = space
        self.address = address
    }

    /// The place `bytes` further on in the same space.
    public func advanced(by bytes: Int) -> GenericAddress {
        GenericAddress(space: space, address: address &+ UInt64(truncatingIfNeeded: bytes))
    }

    /// Reads the 12-byte structure at `offset`; nil when it is not there, empty, or of another space.
    init?(_ bytes: Span<UInt8>, at offset: Int) {
        guard let space = bytes.byte(at: offset).flatMap({ Space(rawValue: $0) }),
            let address = bytes.little64(at: offset + 4), address != 0
        else { return nil }
        if space == .port, address > 0xffff { return nil }
        self.space = space
        self.address = address
    }
}
