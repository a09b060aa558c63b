// A reader of 64-bit little-endian ELF files, as much of one as the kernel's checks and its symbol
// table need. Everything read is checked against the file's size; a malformed file is an error.

/// A linked ELF64 file, held in memory.
struct ElfFile {
    /// A part of the file as the linker divided it (ELF-64 Object File Format, "Sections").
    struct Section: Equatable {
        var name: String
        var type: UInt32
        var flags: UInt64
        var address: UInt64
        var offset: Int
        var size: Int
        var link: Int

        static let isExecutable: UInt64 = 4
        static let noBits: UInt32 = 8
        static let symbolTable: UInt32 = 2
    }

    /// A part of the file as it is loaded ("Program Header").
    struct Segment: Equatable {
        var type: UInt32
        var flags: UInt32
        var address: UInt64
        var physicalAddress: UInt64
        var memorySize: UInt64

        static let load: UInt32 = 1
        var isExecutable: Bool { flags & 1 != 0 }
        var isWritable: Bool { flags & 2 != 0 }
    }

    /// An entry of `.symtab` ("Symbol Table").
    struct Symbol: Equatable {
        var name: String
        var type: UInt8
        var section: Int
        var value: UInt64
        var size: UInt64

        static let noType: UInt8 = 0
        static let function: UInt8 = 2
    }

    private(set) var bytes: [UInt8]
    let sections: [Section]
    let segments: [Segment]

    /// Reads the headers. Throws when the file is not a complete ELF64 little-endian file.
    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        let reader = ByteReader(bytes)
        guard bytes.count >= 64, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]) else {
            throw ToolError("not a 64-bit little-endian ELF file")
        }
        segments = try Self.segments(reader)
        sections = try Self.sections(reader)
    }

    /// The section of this name, if there is one.
    func section(_ name: String) -> Section? {
        sections.first { $0.name == name }
    }

    /// The entries of the symbol table; none where the file is stripped.
    func symbols() throws -> [Symbol] {
        guard let table = sections.first(where: { $0.type == Section.symbolTable }) else { return [] }
        guard sections.indices.contains(table.link) else { throw ToolError("ELF: .symtab has no names") }
        let reader = ByteReader(bytes)
        let names = sections[table.link]
        return try (0..<table.size / 24).map { index in
            let at = table.offset + index * 24
            return Symbol(
                name: try reader.string(at: names.offset + Int(reader.u32(at))),
                type: try reader.u8(at + 4) & 15,
                section: Int(try reader.u16(at + 6)),
                value: try reader.u64(at + 8), size: try reader.u64(at + 16))
        }
    }

    /// Replaces bytes of the file from `offset` on.
    mutating func patch(_ replacement: [UInt8], at offset: Int) {
        bytes.replaceSubrange(offset..<offset + replacement.count, with: replacement)
    }

    private static func segments(_ reader: ByteReader) throws -> [Segment] {
        let table = try reader.offset(32)
        let (size, count) = (Int(try reader.u16(54)), Int(try reader.u16(56)))
        return try (0..<count).map { index in
            let at = table + index * size
            return Segment(
                type: try reader.u32(at), flags: try reader.u32(at + 4),
                address: try reader.u64(at + 16), physicalAddress: try reader.u64(at + 24),
                memorySize: try reader.u64(at + 40))
        }
    }

    private static func sections(_ reader: ByteReader) throws -> [Section] {
        let table = try reader.offset(40)
        let (size, count, names) = (
            Int(try reader.u16(58)), Int(try reader.u16(60)), Int(try reader.u16(62))
        )
        guard names < count else { return [] }
        let nameTable = try reader.offset(table + names * size + 24)
        return try (0..<count).map { index in
            let at = table + index * size
            let section = Section(
                name: try reader.string(at: nameTable + Int(reader.u32(at))),
                type: try reader.u32(at + 4), flags: try reader.u64(at + 8),
                address: try reader.u64(at + 16), offset: try reader.offset(at + 24),
                size: try reader.offset(at + 32), link: Int(try reader.u32(at + 40)))
            let end = section.type == Section.noBits ? 0 : section.offset + section.size
            guard end <= reader.bytes.count else {
                throw ToolError("ELF: section \(section.name) ends after the file")
            }
            return section
        }
    }
}
