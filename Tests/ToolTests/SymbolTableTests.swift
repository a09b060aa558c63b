// The kernel's symbol table: what goes in, what its section holds, and what does not fit.
import Testing

@testable import Tool

@Suite struct SymbolTableTests {
    private func image(_ more: [ElfImage.Symbol] = []) -> ElfImage {
        let start = ElfImage.Symbol(name: "kernel_start", value: 0x1000, size: 0, type: ElfFile.Symbol.noType)
        return ElfImage(symbols: [start] + more)
    }

    @Test func functionsAreSortedAndRelative() throws {
        let kernel = image([
            .init(name: "later", value: 0x1200, size: 16), .init(name: "earlier", value: 0x1100, size: 8),
        ])
        let table = try SymbolTable(of: ElfFile(kernel.bytes()))
        #expect(table.entries.map(\.name) == ["kernel_start", "earlier", "later", ""])
        #expect(table.entries.map(\.offset) == [0, 0x100, 0x200, 0x210])
    }

    @Test func aFunctionHidesALabelAtItsAddress() throws {
        let kernel = image([
            .init(name: "label", value: 0x1100, size: 0, type: ElfFile.Symbol.noType),
            .init(name: "function", value: 0x1100, size: 4),
        ])
        let names = try SymbolTable(of: ElfFile(kernel.bytes())).entries.map(\.name)
        #expect(names == ["kernel_start", "function", ""])
    }

    @Test func dataAndLocalLabelsAreLeftOut() throws {
        let kernel = image([
            .init(name: "datum", value: 0x1100, section: 2), .init(name: ".L1", value: 0x1200, type: 0),
            .init(name: "object", value: 0x1300, type: 1), .init(name: "before", value: 0x800),
        ])
        let names = try SymbolTable(of: ElfFile(kernel.bytes())).entries.map(\.name)
        #expect(names == ["kernel_start", ""])
    }

    @Test func whatIsStoredIsReadBack() throws {
        let table = SymbolTable(entries: [
            .init(offset: 0, name: "start"), .init(offset: 16, name: "same"), .init(offset: 32, name: "same"),
            .init(offset: 48, name: ""),
        ])
        var kernel = try ElfFile(image().bytes())
        let size = kernel.bytes.count
        #expect(try table.store(in: &kernel))
        #expect(kernel.bytes.count == size)
        #expect(try SymbolTable(storedIn: ElfFile(kernel.bytes)) == table)
        let section = try #require(kernel.section(SymbolTable.sectionName))
        #expect(try ByteReader(kernel.bytes).u64(section.offset + 8) == 1024)
    }

    @Test func aSectionThatIsTooSmallIsAnErrorThatSaysHowLargeItMustBe() throws {
        var image = image()
        image.reserved = Array("APUSSYM\0".utf8) + Array(repeating: 0, count: 24)
        var kernel = try ElfFile(image.bytes())
        let table = SymbolTable(entries: [.init(offset: 0, name: "function")])
        let error = #expect(throws: ToolError.self) { try table.store(in: &kernel) }
        #expect(error?.description.contains("32 bytes and needs 41") == true)
    }

    @Test func aKernelWithoutTheSectionIsLeftAlone() throws {
        var image = image()
        image.reserved = nil
        var kernel = try ElfFile(image.bytes())
        #expect(try !SymbolTable(entries: []).store(in: &kernel))
        #expect(kernel.bytes == image.bytes())
    }

    @Test func longNamesLoseTheirEnd() throws {
        let name = String(repeating: "ä", count: 100)
        var kernel = try ElfFile(image().bytes())
        _ = try SymbolTable(entries: [.init(offset: 0, name: name)]).store(in: &kernel)
        let stored = try SymbolTable(storedIn: kernel).entries[0].name
        #expect(stored == String(repeating: "ä", count: 60))
    }

    @Test func namesAreDemangled() async throws {
        let table = SymbolTable(entries: [
            .init(offset: 0, name: "$s4main3FooV3baryyF"), .init(offset: 8, name: "memcpy"),
            .init(offset: 9, name: ""),
        ])
        let names = try await table.demangled().entries.map(\.name)
        #expect(names == ["Foo.bar()", "memcpy", ""])
    }
}

@Suite struct ElfFileTests {
    @Test func truncatedFilesAreErrors() throws {
        let bytes = ElfImage(symbols: [.init(name: "kernel_start", value: 0)]).bytes()
        let lastUsed = bytes.count - 16  // the last header's alignment and entry size are not read
        for size in stride(from: 0, to: lastUsed, by: 7) {
            #expect(throws: ToolError.self) { _ = try ElfFile(Array(bytes.prefix(size))).sections.count }
        }
    }

    @Test func anyChangedByteIsSurvived() throws {
        let bytes = ElfImage(symbols: [.init(name: "kernel_start", value: 0)]).bytes()
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0xFF
            _ = try? ElfFile(changed).symbols()
        }
    }
}
