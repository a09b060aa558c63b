// The firmware's tables: good ones, broken ones, and every bit of them flipped.

import Testing

@testable import Machine

@Suite struct ACPITests {
    private func read(_ tables: MachineTables, rsdp: UInt64 = MachineTables.rsdp) -> ACPI {
        ACPI(rsdp: rsdp, in: tables.memory)
    }

    @Test func interruptControllers() throws {
        let acpi = read(MachineTables())
        #expect(acpi.skipped == [])
        let madt = try #require(acpi.interruptControllers)
        // One disabled, one with the identifier of all CPUs and one named twice are not there.
        #expect(madt.cpus.map(\.apicID) == [0, 2, 300])
        #expect(madt.cpus.map(\.uid) == [0, 1, 40])
        #expect(madt.localAPIC == PhysicalAddress(0xfee0_0000))
        #expect(madt.has8259)
        #expect(
            madt.ioAPICs == [.init(identifier: 5, address: PhysicalAddress(0xfec0_0000), firstLine: 0)])
        #expect(
            madt.overrides == [
                .init(source: 0, line: 2, wiring: .isa),
                .init(source: 9, line: 9, wiring: .init(isActiveLow: true, isLevel: true)),
                .init(source: 5, line: 5, wiring: .init(isActiveLow: false, isLevel: true)),
            ])
        #expect(madt.localNMIs == [.init(uid: nil, line: 1, wiring: .isa)])
        #expect(madt.nmiSources == [.init(line: 23, wiring: .init(isActiveLow: false, isLevel: true))])
        #expect(madt.badEntries == 0)
    }

    @Test func fixedTable() throws {
        let acpi = read(MachineTables())
        let fadt = try #require(acpi.fixed)
        #expect(fadt.pmTimer?.register == GenericAddress(space: .port, address: 0x608))
        #expect(fadt.pmTimer?.is32Bit == true)
        #expect(fadt.reset == GenericAddress(space: .port, address: 0xcf9))
        #expect(fadt.resetValue == 0x0f)
        #expect(fadt.pm1aControl == GenericAddress(space: .port, address: 0x604))
        #expect(fadt.pm1bControl == nil)
        #expect(fadt.systemControlLine == 9)
        #expect(fadt.enableACPI?.port == 0xb2)
        #expect(fadt.enableACPI?.value == 2)
        #expect(fadt.has8042)
        #expect(fadt.pm1aEvent == GenericAddress(space: .port, address: 0x600))
        #expect(fadt.pm1bEvent == nil)
        #expect(fadt.pm1EventBytes == 4)
        #expect(fadt.generalEvents.map(\.register) == [GenericAddress(space: .port, address: 0x620)])
        #expect(fadt.generalEvents.map(\.bytes) == [16])
        #expect(fadt.hasPowerButton && fadt.hasSleepButton)
        #expect(fadt.clockRegisters == RealTimeClock.Extras(century: 0x32))
        #expect(!fadt.isHardwareReduced)
        #expect(acpi.hpet?.address == PhysicalAddress(0xfed0_0000))
        #expect(acpi.softOff == SleepPackage(typeA: 5, typeB: 6))
    }

    @Test func hardwareReduced() throws {
        var tables = MachineTables()
        var body = Array(tables.fadtBytes[36...])
        body += Array(repeating: 0, count: 268 - 36 - body.count)
        body[112 - 36] = 0
        body[113 - 36] = 4
        body[114 - 36] = 0x10
        body.replaceSubrange(244 - 36..<256 - 36, with: [0, 8, 0, 1, 0, 2, 0xea, 0xfe, 0, 0, 0, 0])
        tables.fadtBytes = TableBuilder.table("FACP", revision: 5, body: body)
        let fadt = try #require(read(tables).fixed)
        #expect(fadt.isHardwareReduced)
        #expect(fadt.pmTimer == nil)
        #expect(fadt.pm1aControl == nil)
        #expect(fadt.sleepControl == GenericAddress(space: .memory, address: 0xfeea_0200))
    }

    @Test func rootPointerIsSearched() {
        #expect(read(MachineTables(), rsdp: 0).interruptControllers != nil)
        // One that the boot loader got wrong is searched too.
        #expect(read(MachineTables(), rsdp: 0x1000).interruptControllers != nil)
    }

    @Test func rootPointerInTheExtendedDataArea() {
        let tables = MachineTables()
        var memory = PiecewiseMemory()
        memory.place([0xc0, 0x9f], at: 0x40e)
        var area = Array(repeating: UInt8(0), count: 1024)
        area.replaceSubrange(0x20..<0x20 + tables.rsdpBytes.count, with: tables.rsdpBytes)
        memory.place(area, at: 0x9fc00)
        memory.place(tables.xsdtBytes, at: MachineTables.xsdt)
        memory.place(tables.madtBytes, at: MachineTables.madt)
        #expect(ACPI(rsdp: 0, in: memory).interruptControllers != nil)
    }

    @Test func oldRootPointerLeadsToTheRSDT() {
        var tables = MachineTables()
        tables.rsdpBytes = TableBuilder.rootPointer(revision: 0, rsdt: UInt32(MachineTables.rsdt), xsdt: 0)
        tables.xsdtBytes = []
        let acpi = read(tables)
        #expect(acpi.skipped == [])
        #expect(acpi.interruptControllers != nil)
    }

    @Test func brokenXSDTFallsBackToTheRSDT() {
        var tables = MachineTables()
        tables.xsdtBytes[40] ^= 1
        let acpi = read(tables)
        #expect(acpi.skipped.map(\.problem) == [.badChecksum])
        #expect(acpi.interruptControllers != nil)
    }

    @Test func aBadTableIsSkippedAndTheOthersAreUsed() {
        var tables = MachineTables()
        tables.madtBytes[50] ^= 0x40
        let acpi = read(tables)
        #expect(acpi.interruptControllers == nil)
        #expect(
            acpi.skipped == [
                .init(
                    signature: .apic, address: PhysicalAddress(MachineTables.madt), problem: .badChecksum)
            ])
        #expect(acpi.fixed != nil)
        #expect(acpi.hpet != nil)
    }

    @Test func entriesThatDoNotFit() {
        var tables = MachineTables()
        // An entry of length 0 would never end, one of length 200 reaches behind the table.
        for length in [UInt8(0), 1, 200] {
            var body = Array(MachineTables.madtTable()[36...])
            body[9] = length
            tables.madtBytes = TableBuilder.table("APIC", body: body)
            #expect(read(tables).skipped.map(\.problem) == [.badEntry(offset: 44)])
        }
        // One that is too short for its kind is passed over.
        var body = Array(MachineTables.madtTable()[36..<44])
        body += [0, 4, 0, 0, 0, 8, 1, 1, 1, 0, 0, 0]
        tables.madtBytes = TableBuilder.table("APIC", body: body)
        let madt = read(tables).interruptControllers
        #expect(madt?.badEntries == 1)
        #expect(madt?.cpus.map(\.apicID) == [1])
    }

    @Test func lengthsThatCannotBe() {
        var tables = MachineTables()
        tables.hpetBytes.replaceSubrange(4..<8, with: [0xff, 0xff, 0xff, 0x7f])
        #expect(read(tables).skipped.map(\.problem) == [.badLength(0x7fff_ffff)])
        tables.hpetBytes.replaceSubrange(4..<8, with: [8, 0, 0, 0])
        #expect(read(tables).skipped.map(\.problem) == [.badLength(8)])
        tables.hpetBytes.replaceSubrange(4..<8, with: [0, 2, 0, 0])
        #expect(read(tables).skipped.map(\.problem) == [.unreadable])
    }

    @Test(arguments: [
        ([0x12, 6, 4, 0x0a, 5, 0x0a, 6, 0] as [UInt8], SleepPackage(typeA: 5, typeB: 6)),
        ([0x12, 4, 2, 0, 1], SleepPackage(typeA: 0, typeB: 1)),
        ([0x12, 0x46, 0, 1, 0x0b, 7, 0], SleepPackage(typeA: 7, typeB: 0)),
        ([0x12, 9, 2, 0x0c, 3, 0, 0, 0, 0x0a, 2], SleepPackage(typeA: 3, typeB: 2)),
        ([0x13, 6, 4, 0x0a, 5, 0x0a, 6, 0], nil),
        ([0x12, 6, 0], nil),
        ([0x12], nil),
    ])
    func sleepPackages(code: [UInt8], package: SleepPackage?) {
        let dsdt = MachineTables.dsdtTable(code)
        #expect(SleepPackage(named: .softOff, in: dsdt.span) == package)
    }

    @Test func sleepPackageInTheRoot() {
        let code =
            Array(repeating: UInt8(0), count: 36) + [8, 0x5c] + Array("_S5_".utf8) + [0x12, 4, 2, 1, 1]
        #expect(SleepPackage(named: .softOff, in: code.span) == SleepPackage(typeA: 1, typeB: 1))
    }

    /// Every single bit of every table flipped, with the checksum as it was and put right again: nothing traps,
    /// and with a wrong checksum nothing of the table is believed.
    @Test func everyBitFlipped() {
        let good = MachineTables()
        for path in unsafe MachineTables.parts {
            for bit in 0..<good[keyPath: path].count * 8 {
                var tables = good
                tables[keyPath: path][bit / 8] ^= 1 << UInt8(bit % 8)
                _ = read(tables)
                _ = read(tables, rsdp: 0)
                let place = path == \.rsdpBytes ? 8 : 9
                tables[keyPath: path] = TableBuilder.fixed(tables[keyPath: path], checksumAt: place)
                _ = read(tables)
            }
        }
        for bit in 0..<good.madtBytes.count * 8 {
            var tables = good
            tables.madtBytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(read(tables).interruptControllers == nil)
        }
    }

    /// Cut off anywhere, with the length and checksum put right.
    @Test func everyLength() {
        for path in unsafe MachineTables.parts where path != \.rsdpBytes {
            for size in 36..<MachineTables()[keyPath: path].count {
                var tables = MachineTables()
                var bytes = Array(tables[keyPath: path][..<size])
                bytes[4] = UInt8(size & 255)
                bytes[5] = UInt8(size >> 8)
                tables[keyPath: path] = TableBuilder.fixed(bytes, checksumAt: 9)
                _ = read(tables)
            }
        }
    }
}

extension MachineTables {
    nonisolated(unsafe) static let parts: [WritableKeyPath<MachineTables, [UInt8]>] = [
        \.rsdpBytes, \.xsdtBytes, \.rsdtBytes, \.madtBytes, \.fadtBytes, \.hpetBytes, \.dsdtBytes,
    ]
}
