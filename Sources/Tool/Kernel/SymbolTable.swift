// The kernel's own symbol table, with which it names functions in backtraces.
//
// The linker script reserves the section `.apus.symbols`; after linking, the tool fills it in place
// with the functions of `.symtab`. Its format, all numbers little-endian:
//
//     offset  size        content
//     0       8           magic, the bytes "APUSSYM" and a zero byte
//     8       8           capacity: bytes of the whole section, from the magic on (the linker
//                         script's number; 0 is read as the section's size, and then filled in)
//     16      8           count of entries; 0 in a kernel that the tool has not touched
//     24      8 x count   entries: u32 address minus that of the symbol `kernel_start`,
//                         u32 offset of the name from the section's start
//     ...                 names: UTF-8 without a zero byte inside, each ended by one
//
// Entries are sorted by address and no two have the same one, so that the function that holds an
// address is found by bisection: it is the last entry that is not above it. The first entry at the
// end of the last function has an empty name: addresses from there on have no function.

/// The functions of a kernel, by their offset from its start.
struct SymbolTable: Equatable {
    struct Entry: Equatable {
        var offset: UInt32
        var name: String
    }

    static let sectionName = ".apus.symbols"
    static let startSymbol = "kernel_start"
    static let magic = Array("APUSSYM\0".utf8)
    static let headerSize = 24
    /// A name's largest size in bytes; a longer one loses its end.
    static let maximumNameSize = 120

    /// Sorted by offset, each offset once.
    var entries: [Entry]

    init(entries: [Entry]) {
        self.entries = entries
    }

    /// The functions of a linked kernel, by the names of the symbol table. Symbols without a type
    /// in executable sections, as assembly has them, count as functions. Throws when the kernel has
    /// no symbol `kernel_start`.
    init(of kernel: ElfFile) throws {
        let symbols = try kernel.symbols()
        guard let start = symbols.first(where: { $0.name == Self.startSymbol })?.value else {
            throw ToolError("the kernel has no symbol \(Self.startSymbol)")
        }
        let functions = symbols.filter { Self.isFunction($0, in: kernel) && $0.value >= start }
        // Of several names at one address, a typed and sized one is better than a label.
        let ordered = functions.sorted {
            ($0.value, $1.type, $1.size, $0.name) < ($1.value, $0.type, $0.size, $1.name)
        }
        entries = []
        for symbol in ordered {
            let offset = UInt32(truncatingIfNeeded: symbol.value - start)
            if entries.last?.offset != offset { entries.append(Entry(offset: offset, name: symbol.name)) }
        }
        if let last = ordered.last {
            let end = UInt32(truncatingIfNeeded: last.value + max(last.size, 1) - start)
            entries.append(Entry(offset: end, name: ""))
        }
    }

    /// The table as a kernel holds it in its reserved section.
    init(storedIn kernel: ElfFile) throws {
        guard let section = kernel.section(Self.sectionName) else {
            throw ToolError("the kernel has no section \(Self.sectionName)")
        }
        let reader = ByteReader(Array(kernel.bytes[section.offset..<section.offset + section.size]))
        entries = try (0..<reader.offset(16)).map { index in
            let at = Self.headerSize + 8 * index
            let name = try reader.string(at: Int(reader.u32(at + 4)))
            return Entry(offset: try reader.u32(at), name: name)
        }
    }

    /// The section's new content from its start; as long as it must be, no longer.
    func encoded(capacity: Int) -> [UInt8] {
        var names: [UInt8] = []
        var places: [String: Int] = [:]
        var head = Self.magic + Self.bytes(UInt64(capacity)) + Self.bytes(UInt64(entries.count))
        let namesStart = Self.headerSize + 8 * entries.count
        for entry in entries {
            let name = Self.shortened(entry.name)
            let place = places[name] ?? namesStart + names.count
            if places.updateValue(place, forKey: name) == nil { names += Array(name.utf8) + [0] }
            head += Self.bytes(entry.offset) + Self.bytes(UInt32(place))
        }
        return head + names
    }

    /// Writes the table into the kernel's reserved section. False when it has none; throws, naming
    /// the size needed, when it is too small.
    func store(in kernel: inout ElfFile) throws -> Bool {
        guard let section = kernel.section(Self.sectionName) else { return false }
        let old = kernel.bytes[section.offset..<section.offset + section.size]
        guard old.starts(with: Self.magic) else {
            throw ToolError("the kernel's section \(Self.sectionName) does not begin with its magic")
        }
        let content = encoded(capacity: section.size)
        guard content.count <= section.size else {
            throw ToolError(
                "the kernel's section \(Self.sectionName) has \(section.size) bytes and needs "
                    + "\(content.count): enlarge it in Sources/Kernel/kernel.ld")
        }
        kernel.patch(content, at: section.offset)
        return true
    }

    private static func isFunction(_ symbol: ElfFile.Symbol, in kernel: ElfFile) -> Bool {
        guard !symbol.name.isEmpty, kernel.sections.indices.contains(symbol.section),
            kernel.sections[symbol.section].flags & ElfFile.Section.isExecutable != 0
        else { return false }
        let isLabel = symbol.type == ElfFile.Symbol.noType && !".$".contains(symbol.name.first!)
        return symbol.type == ElfFile.Symbol.function || isLabel
    }

    private static func shortened(_ name: String) -> String {
        var result = name.replacing("\0", with: "?")
        while result.utf8.count > maximumNameSize { result.removeLast() }
        return result
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
