import Testing

@testable import Machine

@Suite struct IOAPICTests {
    private let hardware = SimulatedHardware()
    let device = SimulatedIOAPIC(count: 24)
    private let window = VirtualAddress(0xfec0_0000)

    init() { SimulatedMemoryBus.attach(device, at: window) }

    @Test func entriesAreWrittenWithTheMaskLast() throws {
        let unit = try #require(IOAPIC(registers: window))
        #expect(unit.count == 24)
        let entry = RedirectionEntry(vector: 0x31, wiring: .pci, destination: 3)
        unit.set(5, entry)
        #expect(device.entry(5) == entry)
        #expect(unit.entry(5) == entry)
        let writes = device.writes(5)
        #expect(writes.map(\.isHigh) == [false, true, false])
        #expect(writes.map(\.value) == [0x1a031, 0x0300_0000, 0xa031])
        #expect(device.raise(5) == 0x31)
        unit.mask(5)
        #expect(device.raise(5) == nil)
        unit.unmask(5)
        #expect(device.entry(5) == entry)
    }

    @Test func nothingThere() {
        SimulatedMemoryBus.detach(window)
        #expect(IOAPIC(registers: window) == nil)
    }

    @Test func entryBits() {
        let entry = RedirectionEntry(
            vector: 0xef, delivery: .nmi, wiring: LineWiring(isActiveLow: true, isLevel: false),
            isMasked: true, destination: 0xfe)
        #expect(entry.low == 0x124ef)
        #expect(entry.high == 0xfe00_0000)
        #expect(RedirectionEntry(low: entry.low, high: entry.high) == entry)
        #expect(RedirectionEntry(low: 3 << 8, high: 0) == nil)
    }
}
