import Machine
import Testing

@Suite struct HVMStartInfoTests {
    /// Memory of 64-bit words, zero where nothing was put.
    private struct Words {
        var words: [UInt64: UInt64] = [:]
        func load(_ address: UInt64) -> UInt64 { words[address] ?? 0 }
    }

    private func good() -> Words {
        var memory = Words()
        memory.words[0x1000] = HVMStartInfo.magic | 1 << 32
        memory.words[0x1008] = 1 << 32
        memory.words[0x1010] = 0x2000
        memory.words[0x1018] = 0x3000
        memory.words[0x1020] = 0xe0000
        memory.words[0x1028] = 0x4000
        memory.words[0x1030] = 2
        memory.words[0x2000] = 0x700_0000
        memory.words[0x2008] = 12345
        memory.words[0x4000] = 0
        memory.words[0x4008] = 0x9fc00
        memory.words[0x4010] = 1
        memory.words[0x4018] = 0x10_0000
        memory.words[0x4020] = 0x1000_0000
        memory.words[0x4028] = 99
        return memory
    }

    @Test func readsAll() throws {
        let memory = good()
        let info = try HVMStartInfo(at: 0x1000) { memory.load($0) }
        #expect(info.commandLine == 0x3000 && info.rsdp == 0xe0000)
        #expect(info.ramdisk?.start == 0x700_0000 && info.ramdisk?.size == 12345)
        #expect(
            info.memoryMap == [
                MemoryMapEntry(start: 0, size: 0x9fc00, kind: .usable),
                MemoryMapEntry(start: 0x10_0000, size: 0x1000_0000, kind: .reserved),
            ])
    }

    @Test func refusesWhatItCannotUse() {
        var memory = good()
        #expect(throws: HVMStartInfo.Failure.badMagic(0)) { try HVMStartInfo(at: 0x9000) { memory.load($0) } }
        memory.words[0x1000] = HVMStartInfo.magic
        #expect(throws: HVMStartInfo.Failure.noMemoryMap) { try HVMStartInfo(at: 0x1000) { memory.load($0) } }
        memory = good()
        memory.words[0x1030] = 100_000
        #expect(throws: HVMStartInfo.Failure.noMemoryMap) { try HVMStartInfo(at: 0x1000) { memory.load($0) } }
    }

    @Test func leavesOutEntriesThatWrap() throws {
        var memory = good()
        memory.words[0x4008] = .max
        memory.words[0x4000] = 1
        let info = try HVMStartInfo(at: 0x1000) { memory.load($0) }
        #expect(info.memoryMap.count == 1)
    }

    @Test func noRamdisk() throws {
        var memory = good()
        memory.words[0x1008] = 0
        #expect(try HVMStartInfo(at: 0x1000) { memory.load($0) }.ramdisk == nil)
    }
}
