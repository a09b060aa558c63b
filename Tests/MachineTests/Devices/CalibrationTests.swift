// Calibration against clocks that run, that wrap, and that stand still.

import Synchronization
import Testing

@testable import Machine

@Suite struct CalibrationTests {
    private let hardware = SimulatedHardware()
    let apic = SimulatedLocalAPIC()

    init() {
        let window = VirtualAddress(0xfee0_0000)
        SimulatedMemoryBus.attach(apic, at: window)
        LocalAPIC.configure(registers: window, hasX2APIC: false)
    }

    /// A clock whose every look takes some of the counter's cycles and some of its own ticks.
    final class Clock: ReferenceClock {
        let ticks = Atomic<UInt64>(0)
        let frequency: UInt64
        let mask: UInt64
        let step: UInt64
        init(frequency: UInt64, mask: UInt64, step: UInt64) {
            self.frequency = frequency
            self.mask = mask
            self.step = step
            // Near its end, so that it wraps.
            ticks.store(mask &- 10, ordering: .relaxed)
        }
        func start() {}
        func stop() {}
        func read() -> UInt64 {
            // 2,000 cycles of the counter for each tick of this clock, besides what looking costs.
            for _ in 0..<step * 2 { _ = TSC.read() }
            return ticks.wrappingAdd(step, ordering: .relaxed).newValue & mask
        }
    }

    @Test(arguments: [UInt64(0xff_ffff), 0xffff_ffff, .max])
    func measuring(mask: UInt64) throws {
        SimulatedRegisters.runTSC(step: 1000)
        apic.runTimer(step: 100)
        let clock = Clock(frequency: 1_000_000, mask: mask, step: 1)
        let found = try #require(Calibration.measure(clock, .pmTimer))
        // Two steps of the counter in each look of the clock, and two more around those that count; the timer
        // counts only when it is looked at, about twenty times in ten thousand ticks.
        #expect((2_000_000_000...2_010_000_000).contains(found.tscHz))
        #expect(found.source == .pmTimer)
    }

    @Test func aClockThatStandsStill() {
        SimulatedRegisters.runTSC(step: 1000)
        apic.runTimer(step: 100)
        #expect(Calibration.measure(Clock(frequency: 1_000_000, mask: .max, step: 0), .pit) == nil)
    }

    @Test func aCounterThatStandsStill() {
        SimulatedRegisters.runTSC(step: 0)
        #expect(Calibration.measure(Clock(frequency: 1_000_000, mask: .max, step: 1), .pit) == nil)
    }

    @Test func thePIT() throws {
        let pit = SimulatedPIT(step: 2)
        SimulatedBus.attach(pit, to: 0x40...0x43)
        SimulatedBus.attach(pit, to: 0x61...0x61)
        SimulatedRegisters.runTSC(step: 1_000_000)
        apic.runTimer(step: 1000)
        #expect(Calibration.measure(PITClock(), .pit) != nil)
        let stuck = SimulatedPIT(step: 0)
        SimulatedBus.attach(stuck, to: 0x40...0x43)
        SimulatedBus.attach(stuck, to: 0x61...0x61)
        #expect(Calibration.measure(PITClock(), .pit) == nil)
        SimulatedBus.detachAll()
        // Where nothing answers, all ones are read.
        #expect(Calibration.measure(PITClock(), .pit) == nil)
    }

    @Test func whatCPUIDSays() {
        #expect(Calibration.said() == nil)
        SimulatedRegisters.setCPUID(0, to: .init(eax: 0x16))
        SimulatedRegisters.setCPUID(0x15, to: .init(eax: 2, ebx: 200, ecx: 24_000_000))
        #expect(Calibration.said()?.tscHz == 2_400_000_000)
        #expect(Calibration.said()?.apicTimerHz == 1_500_000)
        SimulatedRegisters.setCPUID(1, to: .init(ecx: 1 << 31))
        SimulatedRegisters.setCPUID(0x4000_0000, to: .init(eax: 0x4000_0010))
        SimulatedRegisters.setCPUID(0x4000_0010, to: .init(eax: 3_000_000, ebx: 1_000_000))
        #expect(Calibration.said()?.tscHz == 3_000_000_000)
        #expect(Calibration.said()?.apicTimerHz == 62_500_000)
    }
}
