// What the drivers of the interrupt hardware write into registers, and in which order.

import Testing

@testable import Machine

@Suite struct LocalAPICTests {
    private let hardware = SimulatedHardware()
    let device = SimulatedLocalAPIC(identifier: 7)
    private let window = VirtualAddress(0xfee0_0000)

    init() {
        SimulatedCPU(index: 0).bind()
        SimulatedMemoryBus.attach(device, at: window)
        LocalAPIC.configure(registers: window, hasX2APIC: false)
    }

    @Test func enabling() {
        // Left behind by whoever ran before.
        device.accept(0x31)
        device.accept(0x92)
        LocalAPIC.enable(spurious: 255, error: 254)
        #expect(MSR.apicBase.read() & 0xc00 == 0x800)
        #expect(device[0xf0] == 0x1ff)
        #expect(device[0x80] == 0)
        #expect(device[0x370] == 254)
        for register in [0x320, 0x330, 0x340, 0x350, 0x360] { #expect(device[register] & 1 << 16 != 0) }
        #expect(device.inService.isEmpty)
        #expect(LocalAPIC.identifier == 7)
        LocalAPIC.enableNMI(line: 1)
        #expect(device[0x360] == 0x400)
    }

    @Test func interruptsToOthers() {
        LocalAPIC.send(vector: 252, to: 3)
        LocalAPIC.sendToOthers(vector: 251)
        LocalAPIC.sendToSelf(vector: 239)
        LocalAPIC.sendNMI(to: 5)
        LocalAPIC.sendNMIToOthers()
        #expect(
            device.commands == [
                .init(destination: 3, low: 0x40fc), .init(destination: 0, low: 0xc40fb),
                .init(destination: 0, low: 0x440ef), .init(destination: 5, low: 0x4400),
                .init(destination: 0, low: 0xc4400),
            ])
    }

    @Test func startingAnotherCPU() {
        LocalAPIC.sendINIT(to: 9)
        LocalAPIC.sendStartup(to: 9, page: PhysicalAddress(0x8000))
        #expect(
            device.commands == [
                .init(destination: 9, low: 0xc500), .init(destination: 9, low: 0x8500),
                .init(destination: 9, low: 0x4608),
            ])
    }

    @Test func x2APICIsAllRegistersInOne() {
        LocalAPIC.configure(registers: nil, hasX2APIC: true)
        defer { LocalAPIC.configure(registers: window, hasX2APIC: false) }
        SimulatedRegisters.setMSR(MSR(0x803), 5 << 16)
        SimulatedRegisters.setMSR(MSR(0x802), 0x1234)
        LocalAPIC.enable(spurious: 255, error: 254)
        #expect(MSR.apicBase.read() & 0xc00 == 0xc00)
        #expect(LocalAPIC.identifier == 0x1234)
        LocalAPIC.send(vector: 252, to: 0x1_0203)
        #expect(MSR(0x830).read() == 0x0001_0203_0000_40fc)
        LocalAPIC.sendINIT(to: 300)
        #expect(MSR(0x830).read() == 0x0000_012c_0000_c500)
        LocalAPIC.sendToSelf(vector: 239)
        #expect(MSR(0x83f).read() == 239)
    }

    @Test func timer() {
        LocalAPICTimer.setUp(.oneShot, vector: 239)
        LocalAPICTimer.arm(ticks: 1000)
        #expect(device[0x3e0] == 3)
        #expect(device[0x320] == 239)
        #expect(LocalAPICTimer.remaining == 1000)
        LocalAPICTimer.setUp(.periodic, vector: 239)
        #expect(device[0x320] == 1 << 17 | 239)
        LocalAPICTimer.setUp(.tscDeadline, vector: 239)
        LocalAPICTimer.arm(deadline: 123_456)
        #expect(device[0x320] == 2 << 17 | 239)
        #expect(MSR.timeStampCounterDeadline.read() == 123_456)
        LocalAPICTimer.stop()
        #expect(device[0x320] & 1 << 16 != 0)
        #expect(LocalAPICTimer.remaining == 0)
    }
}
