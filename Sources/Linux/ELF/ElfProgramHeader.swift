// A program header: one part of an ELF file and what to do with it.

struct ElfProgramHeader: Equatable {
    enum Kind { case load, interpreter, programHeaders, stack, other }

    let kind: Kind
    let flags: UInt32
    let offset: UInt64
    let address: UInt64
    let fileSize: UInt64
    let memorySize: UInt64
    let alignment: UInt64

    var isExecutable: Bool { flags & 1 != 0 }
    var isWritable: Bool { flags & 2 != 0 }
    var isReadable: Bool { flags & 4 != 0 }

    /// Header number `index` of a table; nil if the table is not that long.
    init?(_ table: Span<UInt8>, index: Int) {
        let reader = ByteReader(table)
        let start = index &* ElfHeader.programHeaderSize
        guard let type = reader.uint32(at: start), let flags = reader.uint32(at: start &+ 4),
            let offset = reader.uint64(at: start &+ 8), let address = reader.uint64(at: start &+ 16),
            let fileSize = reader.uint64(at: start &+ 32), let memorySize = reader.uint64(at: start &+ 40),
            let alignment = reader.uint64(at: start &+ 48)
        else { return nil }
        switch type {
        case 1: kind = .load  // PT_LOAD
        case 3: kind = .interpreter  // PT_INTERP
        case 6: kind = .programHeaders  // PT_PHDR
        case 0x6474_e551: kind = .stack  // PT_GNU_STACK
        default: kind = .other
        }
        self.flags = flags
        self.offset = offset
        self.address = address
        self.fileSize = fileSize
        self.memorySize = memorySize
        self.alignment = alignment
    }
}
