// A small linked kernel for tests, put together byte by byte.
@testable import Tool

/// Builds an ELF64 file with `.text`, `.apus.symbols`, `.symtab` and the two string tables.
struct ElfImage {
    struct Symbol {
        var name: String
        var value: UInt64
        var size: UInt64 = 1
        var type: UInt8 = ElfFile.Symbol.function
        var section: UInt16 = 1
    }

    var symbols: [Symbol] = []
    /// Content of `.apus.symbols`; nil leaves the section out.
    var reserved: [UInt8]? = Array("APUSSYM\0".utf8) + Array(repeating: 0, count: 1016)
    var segmentFlags: [UInt32] = [5, 6]

    func bytes() -> [UInt8] {
        var names: [UInt8] = [0]
        var table = [UInt8](repeating: 0, count: 24)
        for symbol in symbols {
            table += word(UInt32(names.count)) + [symbol.type, 0] + half(symbol.section)
            table += long(symbol.value) + long(symbol.size)
            names += Array(symbol.name.utf8) + [0]
        }
        var contents: [(name: String, type: UInt32, flags: UInt64, link: UInt32, bytes: [UInt8])] = [
            ("", 0, 0, 0, []), (".text", 1, 6, 0, [0xC3]), (".symtab", 2, 0, 3, table),
            (".strtab", 3, 0, 0, names),
        ]
        if let reserved { contents.append((".apus.symbols", 1, 2, 0, reserved)) }
        let sectionNames = contents.map(\.name) + [".shstrtab"]
        contents.append((".shstrtab", 3, 0, 0, sectionNames.flatMap { Array($0.utf8) + [0] }))

        var file: [UInt8] = header(sections: contents.count)
        for flags in segmentFlags { file += segment(flags: flags) }
        var headers: [UInt8] = []
        var nameOffset: UInt32 = 0
        for section in contents {
            headers += word(nameOffset) + word(section.type) + long(section.flags) + long(0)
            headers += long(UInt64(file.count)) + long(UInt64(section.bytes.count)) + word(section.link)
            headers += word(0) + long(1) + long(24)
            nameOffset += UInt32(section.name.utf8.count + 1)
            file += section.bytes
        }
        file.replaceSubrange(40..<48, with: long(UInt64(file.count)))
        return file + headers
    }

    private func header(sections: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + Array(repeating: 0, count: 9)
        bytes += half(2) + half(62) + word(1) + long(0) + long(64) + long(0) + word(0) + half(64)
        bytes += half(56) + half(UInt16(segmentFlags.count)) + half(64)
        return bytes + half(UInt16(sections)) + half(UInt16(sections - 1))
    }

    private func segment(flags: UInt32) -> [UInt8] {
        word(1) + word(flags) + long(0) + long(0x1000) + long(0x1000) + long(0) + long(0) + long(0x1000)
    }

    private func half(_ value: UInt16) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    private func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    private func long(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}
