import Testing

@testable import Interrupts

@Suite struct ExceptionTableTests {
    /// A table for these (instruction, fixup) offsets from its own start.
    private func withTable(_ pairs: [(Int, Int)], _ body: (ExceptionTable, UInt) -> Void) {
        let entries = UnsafeMutablePointer<ExceptionTableEntry>.allocate(capacity: max(pairs.count, 1))
        defer { unsafe entries.deallocate() }
        for (index, pair) in pairs.enumerated() {
            // Self-relative: each half to its own place.
            unsafe (entries + index).initialize(
                to: ExceptionTableEntry(
                    instruction: Int32(pair.0 - index * 8), fixup: Int32(pair.1 - index * 8 - 4)))
        }
        unsafe body(ExceptionTable(entries, count: pairs.count), UInt(bitPattern: entries))
    }

    @Test func findsEveryEntryAfterSorting() {
        let pairs = (0..<101).map { (($0 * 37 % 101) * 16 - 5000, 100_000 + $0) }
        withTable(pairs) { table, base in
            table.sort()
            for (instruction, fixup) in pairs {
                let at = base &+ UInt(bitPattern: instruction)
                #expect(table.fixup(for: at) == base &+ UInt(bitPattern: fixup))
                #expect(table.fixup(for: at &+ 1) == nil)
                #expect(table.fixup(for: at &- 1) == nil)
            }
            #expect(table.fixup(for: 0) == nil)
            #expect(table.fixup(for: .max) == nil)
        }
    }

    @Test func emptyAndSingle() {
        withTable([]) { table, base in
            table.sort()
            #expect(table.fixup(for: base) == nil)
        }
        withTable([(64, -64)]) { table, base in
            table.sort()
            #expect(table.fixup(for: base + 64) == base - 64)
            #expect(table.fixup(for: base + 63) == nil)
        }
    }
}
