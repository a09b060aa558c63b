// Names of kernel functions out of the table that the host program writes.

import Primitives
import Testing

@testable import Interrupts

@Suite struct KernelSymbolsTests {
    /// A table in the format of Sources/Tool/Kernel/SymbolTable.swift.
    static func table(_ symbols: [(UInt32, String)]) -> [UInt8] {
        func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
            (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
        }
        var names: [UInt8] = []
        var entries: [UInt8] = []
        for (offset, name) in symbols {
            entries += little(offset) + little(UInt32(24 + symbols.count * 8 + names.count))
            names += Array(name.utf8) + [0]
        }
        return Array("APUSSYM\0".utf8) + little(UInt64(4096)) + little(UInt64(symbols.count)) + entries
            + names
    }

    private func text(_ message: LogMessage?) -> String? {
        message.map { message in
            String(decoding: (0..<message.count).map { message[$0] }, as: UTF8.self)
        }
    }

    @Test func names() {
        let bytes = Self.table([(0, "first"), (0x40, "second"), (0x100, "third"), (0x140, "")])
        guard let table = KernelSymbols(bytes.span, base: 0x1000) else {
            Issue.record("not taken for a table")
            return
        }
        #expect(text(table.describe(0x1000)) == "first+0x0/0x40")
        #expect(text(table.describe(0x103f)) == "first+0x3f/0x40")
        #expect(text(table.describe(0x1040)) == "second+0x0/0xc0")
        #expect(text(table.describe(0x113f)) == "third+0x3f/0x40")
        #expect(text(table.describe(0x1140)) == nil)
        #expect(text(table.describe(0xfff)) == nil)
    }

    private func isTable(_ bytes: [UInt8]) -> Bool { KernelSymbols(bytes.span, base: 0) != nil }

    @Test func noTable() {
        #expect(isTable(Self.table([(0, "x")])))
        #expect(!isTable([]))
        #expect(!isTable(Self.table([])))
        var bytes = Self.table([(0, "x")])
        bytes[0] = 0
        #expect(!isTable(bytes))
        // More entries than there is room for.
        bytes = Self.table([(0, "x")])
        bytes[23] = 0x7f
        #expect(!isTable(bytes))
    }

    /// Whatever bit is wrong, looking up does not trap.
    @Test func everyBitFlipped() {
        let good = Self.table([(0, "first"), (0x40, "second"), (0x100, "third"), (0x140, "")])
        for bit in 0..<good.count * 8 {
            var bytes = good
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let table = KernelSymbols(bytes.span, base: 0x1000) else { continue }
            for address in stride(from: UInt(0xff0), to: 0x1200, by: 8) { _ = table.describe(address) }
        }
    }
}
