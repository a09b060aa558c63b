// Firmware tables built by hand for tests.

import Machine

/// Bytes with numbers at the end, little-endian.
struct TableBuilder {
    var bytes: [UInt8] = []

    mutating func put8(_ value: UInt8) { bytes.append(value) }
    mutating func put16(_ value: UInt16) {
        for shift in [0, 8] { bytes.append(UInt8(value >> shift & 0xff)) }
    }
    mutating func put32(_ value: UInt32) {
        for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(value >> UInt32(shift) & 0xff)) }
    }
    mutating func put64(_ value: UInt64) {
        put32(UInt32(value & 0xffff_ffff))
        put32(UInt32(value >> 32))
    }
    mutating func put(_ text: String) { bytes += Array(text.utf8) }
    mutating func pad(to size: Int) { bytes += Array(repeating: 0, count: max(0, size - bytes.count)) }

    /// A table with this body behind a header with the right length and checksum.
    static func table(_ signature: String, revision: UInt8 = 1, body: [UInt8]) -> [UInt8] {
        var table = TableBuilder()
        table.put(signature)
        table.put32(UInt32(36 + body.count))
        table.put8(revision)
        table.put8(0)
        table.put("APUS  TESTTABL")
        table.put32(1)
        table.put("APUS")
        table.put32(1)
        table.bytes += body
        return fixed(table.bytes, checksumAt: 9)
    }

    /// The bytes with the one at `place` set so that they add up to zero.
    static func fixed(_ bytes: [UInt8], checksumAt place: Int) -> [UInt8] {
        var result = bytes
        result[place] = 0
        result[place] = 0 &- result.reduce(0, &+)
        return result
    }

    static func rootPointer(revision: UInt8, rsdt: UInt32, xsdt: UInt64) -> [UInt8] {
        var root = TableBuilder()
        root.put("RSD PTR ")
        root.put8(0)
        root.put("APUS  ")
        root.put8(revision)
        root.put32(rsdt)
        root.bytes = fixed(root.bytes, checksumAt: 8)
        if revision >= 2 {
            root.put32(36)
            root.put64(xsdt)
            root.put32(0)
            root.bytes = fixed(root.bytes, checksumAt: 32)
        }
        return root.bytes
    }
}

/// A whole machine's tables.
struct MachineTables {
    static let rsdp: UInt64 = 0xf5a40
    static let madt: UInt64 = 0x7fe_1000
    static let fadt: UInt64 = 0x7fe_2000
    static let hpet: UInt64 = 0x7fe_3000
    static let dsdt: UInt64 = 0x7fe_4000
    static let xsdt: UInt64 = 0x7fe_8000
    static let rsdt: UInt64 = 0x7fe_9000

    var madtBytes = madtTable()
    var fadtBytes = fadtTable()
    var hpetBytes = hpetTable()
    var dsdtBytes = dsdtTable()
    var xsdtBytes = TableBuilder.table("XSDT", body: addresses(width: 8))
    var rsdtBytes = TableBuilder.table("RSDT", body: addresses(width: 4))
    var rsdpBytes = TableBuilder.rootPointer(revision: 2, rsdt: UInt32(rsdt), xsdt: xsdt)

    var memory: PiecewiseMemory {
        var memory = PiecewiseMemory()
        // The kilobyte of firmware that it lies in.
        let padding = Array(repeating: UInt8(0), count: 1024)
        let start = Int(Self.rsdp % 1024)
        memory.place(
            padding[..<start] + rsdpBytes + padding[(start + rsdpBytes.count)...], at: Self.rsdp & ~1023)
        memory.place(madtBytes, at: Self.madt)
        memory.place(fadtBytes, at: Self.fadt)
        memory.place(hpetBytes, at: Self.hpet)
        memory.place(dsdtBytes, at: Self.dsdt)
        memory.place(xsdtBytes, at: Self.xsdt)
        memory.place(rsdtBytes, at: Self.rsdt)
        return memory
    }

    static func addresses(width: Int) -> [UInt8] {
        var list = TableBuilder()
        for address in [fadt, madt, hpet] {
            if width == 8 { list.put64(address) } else { list.put32(UInt32(address)) }
        }
        return list.bytes
    }

    static func madtTable() -> [UInt8] {
        var body = TableBuilder()
        body.put32(0xfee0_0000)
        body.put32(1)
        for cpu in UInt8(0)..<3 { body.bytes += [0, 8, cpu, cpu * 2, cpu == 2 ? 0 : 1, 0, 0, 0] }
        body.bytes += [0, 8, 9, 0xff, 1, 0, 0, 0]
        // CPU 0 again, as an x2APIC, and one that only the x2APIC can address.
        for (identifier, uid) in [(UInt32(0), UInt32(0)), (300, 40)] {
            body.bytes += [9, 16, 0, 0]
            body.put32(identifier)
            body.put32(1)
            body.put32(uid)
        }
        body.bytes += [1, 12, 5, 0]
        body.put32(0xfec0_0000)
        body.put32(0)
        body.bytes += [2, 10, 0, 0, 2, 0, 0, 0, 0, 0]
        body.bytes += [2, 10, 0, 9, 9, 0, 0, 0, 0x0f, 0]
        body.bytes += [2, 10, 0, 5, 5, 0, 0, 0, 0x0d, 0]
        body.bytes += [4, 6, 0xff, 0, 0, 1]
        body.bytes += [3, 8, 0x0d, 0, 23, 0, 0, 0]
        body.bytes += [0x7f, 4, 1, 2]
        return TableBuilder.table("APIC", revision: 3, body: body.bytes)
    }

    static func fadtTable() -> [UInt8] {
        var table = TableBuilder()
        table.pad(to: 36)
        table.put32(0)
        table.put32(UInt32(dsdt))
        table.put16(0)
        table.put16(9)
        table.put32(0xb2)
        table.bytes += [2, 3, 0, 0]
        table.put32(0x600)
        table.put32(0)
        table.put32(0x604)
        table.put32(0)
        table.put32(0)
        table.put32(0x608)
        table.put32(0x620)
        table.pad(to: 88)
        table.bytes += [4, 2, 0, 4, 16]
        table.pad(to: 108)
        table.put8(0x32)
        table.put16(2)
        table.pad(to: 112)
        table.put32(1 << 8 | 1 << 10)
        table.bytes += [1, 8, 0, 1]
        table.put64(0xcf9)
        table.put8(0x0f)
        table.pad(to: 244)
        return TableBuilder.table("FACP", revision: 3, body: Array(table.bytes[36...]))
    }

    static func hpetTable() -> [UInt8] {
        var body = TableBuilder()
        body.put32(0x8086_a201)
        body.bytes += [0, 64, 0, 0]
        body.put64(0xfed0_0000)
        body.bytes += [0, 0, 0, 0]
        return TableBuilder.table("HPET", body: body.bytes)
    }

    static func dsdtTable(_ package: [UInt8] = [0x12, 6, 4, 0x0a, 5, 0x0a, 6, 0]) -> [UInt8] {
        // Some other code, a use of the name that is not its definition, and the definition.
        var code: [UInt8] = [0x10, 0x05, 0x5c, 0x5f, 0x53, 0x42]
        code += Array("_S5_".utf8) + [0x70, 0x00]
        code += [0x08] + Array("_S5_".utf8) + package
        return TableBuilder.table("DSDT", body: code)
    }
}
