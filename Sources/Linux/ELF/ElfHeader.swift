// The head of an ELF file (System V ABI, chapter 4; elf(5)): 64 bytes that say what the file is and where
// its program headers lie. What is not an x86-64 program is refused.

import Primitives

struct ElfHeader: Equatable {
    /// Linked for fixed addresses, or to run anywhere.
    enum Kind: Equatable { case fixed, positionIndependent }

    static let size = 64
    static let programHeaderSize = 56
    /// Program headers of more than 64 KiB are refused, as in Linux.
    static let maximumProgramHeaders = 65536 / programHeaderSize

    let kind: Kind
    let entry: UInt64
    let programHeaderOffset: UInt64
    let programHeaderCount: Int

    /// Whether a file begins like an ELF file at all.
    static func hasMagic(_ bytes: Span<UInt8>) -> Bool {
        // 0x7f "ELF"
        ByteReader(bytes).uint32(at: 0) == 0x464c_457f
    }

    /// Throws `.notExecutable` for anything that is not a 64-bit little-endian x86-64 program.
    init(_ bytes: Span<UInt8>) throws(Errno) {
        let reader = ByteReader(bytes)
        guard Self.hasMagic(bytes), bytes.count >= Self.size,
            // ELFCLASS64, ELFDATA2LSB, EV_CURRENT
            reader.number(at: 4, bytes: 3) == 0x01_01_02,
            let type = reader.uint16(at: 16),
            // EM_X86_64
            reader.uint16(at: 18) == 62,
            let entry = reader.uint64(at: 24),
            let offset = reader.uint64(at: 32),
            let size = reader.uint16(at: 54), Int(size) == Self.programHeaderSize,
            let count = reader.uint16(at: 56), count > 0, Int(count) <= Self.maximumProgramHeaders
        else { throw .notExecutable }
        switch type {
        case 2: kind = .fixed  // ET_EXEC
        case 3: kind = .positionIndependent  // ET_DYN
        default: throw .notExecutable
        }
        self.entry = entry
        programHeaderOffset = offset
        programHeaderCount = Int(count)
    }
}
