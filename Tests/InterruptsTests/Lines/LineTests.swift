// Lines, from the input of the I/O APIC to the handlers.

import Machine
import Primitives
import Testing

@testable import Interrupts

@Suite struct LineTests {
    private let machine = LineMachine()

    init() { Calls.clear() }

    private func handler(_ word: UInt) -> IRQHandler {
        IRQHandler("test", word: word) { _, word in
            Calls.add(word)
            return .handled
        }
    }

    private func silent(_ word: UInt) -> IRQHandler {
        IRQHandler("silent", word: word) { _, word in
            Calls.add(word)
            return .none
        }
    }

    @Test func edgeLine() throws {
        #expect(machine.io.entry(4)?.isMasked == true)
        let serial = try IRQ.request(line: 4, handler: handler(1))
        let entry = try #require(machine.io.entry(4))
        #expect(!entry.isMasked)
        #expect(entry.wiring == .isa)
        #expect(Vector(entry.vector).use == .device)
        let before = InterruptStatistics.total(line: 4)
        for _ in 0..<10 { #expect(machine.interrupt(4)) }
        #expect(Calls.count(1) == 10)
        #expect(InterruptStatistics.total(line: 4) == before + 10)
        #expect(machine.apic.acknowledged == 10)
        #expect(machine.apic.inService.isEmpty)
        try IRQ.free(serial)
        #expect(machine.io.entry(4)?.isMasked == true)
        #expect(!machine.interrupt(4))
        // A late one, already on its way, finds nobody.
        let unowned = Vectors.unowned
        machine.deliver(entry.vector)
        #expect(Vectors.unowned == unowned + 1)
        #expect(Calls.count(1) == 10)
    }

    @Test func overrides() throws {
        let timer = try IRQ.request(line: 0, handler: handler(1))
        #expect(machine.io.entry(2)?.isMasked == false)
        #expect(machine.interrupt(2))
        #expect(Calls.count(1) == 1)
        // The input is taken, so the cascade's line has none.
        #expect(throws: IRQError.noSuchLine) { try IRQ.request(line: 2, handler: handler(2)) }
        let acpi = try IRQ.request(line: 9, handler: handler(3))
        #expect(machine.io.entry(9)?.wiring == LineWiring(isActiveLow: true, isLevel: true))
        let pci = try IRQ.request(line: 17, handler: handler(4))
        #expect(machine.io.entry(17)?.wiring == .pci)
        for registration in [timer, acpi, pci] { try IRQ.free(registration) }
    }

    @Test func levelIsAcknowledgedBehindTheHandlers() throws {
        let line = try IRQ.request(
            line: 18,
            handler: IRQHandler("level", word: 1) { _, word in
                Calls.add(word)
                // Still in service: the line cannot come again.
                return LocalAPIC.isInService(UInt8(Calls.vector)) ? .handled : .none
            })
        Calls.vector = Int(try #require(machine.io.entry(18)).vector)
        let unclaimed = InterruptStatistics.line(18)?.unclaimed
        machine.interrupt(18)
        #expect(InterruptStatistics.line(18)?.unclaimed == unclaimed)
        #expect(machine.apic.inService.isEmpty)
        try IRQ.free(line)
    }

    @Test func sharing() throws {
        let first = try IRQ.request(line: 19, flags: .shared, handler: silent(1))
        #expect(throws: IRQError.busy) { try IRQ.request(line: 19, handler: handler(2)) }
        #expect(throws: IRQError.wrongTrigger) {
            try IRQ.request(line: 19, flags: [.shared, .edge], handler: handler(2))
        }
        let second = try IRQ.request(line: 19, flags: .shared, handler: handler(2))
        #expect(throws: IRQError.alreadyRegistered) {
            try IRQ.request(line: 19, flags: .shared, handler: handler(2))
        }
        machine.interrupt(19)
        #expect(Calls.count(1) == 1)
        #expect(Calls.count(2) == 1)
        #expect(InterruptStatistics.line(19)?.names.count == 2)
        try IRQ.free(first)
        machine.interrupt(19)
        #expect(Calls.count(1) == 1)
        #expect(Calls.count(2) == 2)
        #expect(throws: IRQError.notRegistered) { try IRQ.free(first) }
        try IRQ.free(second)
        #expect(throws: IRQError.notRegistered) { try IRQ.free(second) }
        #expect(InterruptStatistics.line(19) == nil)
    }

    @Test func notShared() throws {
        let only = try IRQ.request(line: 5, handler: handler(1))
        #expect(throws: IRQError.busy) { try IRQ.request(line: 5, flags: .shared, handler: handler(2)) }
        try IRQ.free(only)
    }

    @Test func tooMany() throws {
        let all = try (0..<UInt(8)).map { try IRQ.request(line: 20, flags: .shared, handler: handler($0)) }
        #expect(throws: IRQError.tooManyHandlers) {
            try IRQ.request(line: 20, flags: .shared, handler: handler(8))
        }
        let before = VectorAllocator.count(of: 0)
        for registration in all { try IRQ.free(registration) }
        #expect(VectorAllocator.count(of: 0) == before - 1)
        #expect(throws: IRQError.noSuchLine) { try IRQ.request(line: 24, handler: handler(0)) }
        #expect(throws: IRQError.noSuchLine) { try IRQ.request(line: -1, handler: handler(0)) }
    }

    @Test func disablingNests() throws {
        let line = try IRQ.request(line: 6, handler: handler(1))
        try IRQ.disable(line: 6)
        try IRQ.disable(line: 6)
        #expect(!machine.interrupt(6))
        try IRQ.enable(line: 6)
        #expect(!machine.interrupt(6))
        try IRQ.enable(line: 6)
        #expect(machine.interrupt(6))
        #expect(throws: IRQError.notDisabled) { try IRQ.enable(line: 6) }
        try IRQ.free(line)
    }

    @Test func anEdgeWhileDisabledIsNotLost() throws {
        let line = try IRQ.request(line: 7, handler: handler(1))
        let vector = try #require(machine.io.entry(7)).vector
        try IRQ.disable(line: 7)
        // It was on its way when the input was masked.
        machine.deliver(vector)
        #expect(Calls.count(1) == 0)
        #expect(machine.apic.inService.isEmpty)
        try IRQ.enable(line: 7)
        #expect(machine.apic.commands.last == .init(destination: 0, low: 0x4000 | UInt32(vector)))
        machine.deliver(vector)
        #expect(Calls.count(1) == 1)
        try IRQ.free(line)
    }

    @Test func anEdgeWhileTheHandlerRunsIsHandledAfterIt() throws {
        let line = try IRQ.request(
            line: 10,
            handler: IRQHandler("edge", word: 1) { context, word in
                Calls.add(word)
                // Another CPU takes an interrupt of the same line meanwhile.
                if Calls.count(word) == 1 { IRQLines.handle(at: IRQLines.place(10), context) }
                return .handled
            })
        machine.interrupt(10)
        // Not nested, and not lost.
        #expect(Calls.count(1) == 2)
        #expect(machine.io.entry(10)?.isMasked == false)
        try IRQ.free(line)
    }

    @Test func aHandlerMayDisableItsLine() throws {
        let line = try IRQ.request(
            line: 11,
            handler: IRQHandler("self", word: 1) { _, word in
                Calls.add(word)
                try? IRQ.disableNoWait(line: 11)
                return .handled
            })
        #expect(machine.interrupt(11))
        #expect(!machine.interrupt(11))
        try IRQ.enable(line: 11)
        #expect(machine.interrupt(11))
        #expect(Calls.count(1) == 2)
        try IRQ.free(line)
    }

    @Test func aLineThatNobodyClaimsIsDisabled() throws {
        let line = try IRQ.request(line: 21, handler: silent(1))
        var count = 0
        while count < 200_000, machine.interrupt(21) { count += 1 }
        #expect(count == 100_000)
        #expect(InterruptStatistics.line(21)?.isDisabled == true)
        try IRQ.free(line)
        // A new owner starts afresh.
        let next = try IRQ.request(line: 21, handler: handler(2))
        #expect(machine.interrupt(21))
        try IRQ.free(next)
    }

    /// More than 8,192 interrupts in 2 ms: the virtual clock stands still here.
    @Test func aStormIsHeldBackUntilTheNextPoll() throws {
        unsafe IRQPollHook.start = { Calls.add(15) }
        defer { unsafe IRQPollHook.start = nil }
        SimulatedCPU.current.machine.work(1)
        let line = try IRQ.request(line: 13, handler: handler(1))
        var count = 0
        while count < 50_000, machine.interrupt(13) { count += 1 }
        // The first look only learns the time.
        #expect(count == 16_384)
        #expect(Calls.count(1) == 16_384)
        #expect(Calls.count(15) == 1)
        #expect(machine.io.entry(13)?.isMasked == true)
        #expect(!machine.poll())
        #expect(machine.io.entry(13)?.isMasked == false)
        // At a rate that can be served nothing is held back.
        count = 0
        while count < 50_000, machine.interrupt(13) {
            SimulatedCPU.current.machine.work(1000)
            count += 1
        }
        #expect(count == 50_000)
        try IRQ.free(line)
    }

    /// Fewer than 100,000 interrupts a second are no storm; a device that never lets its level go gets short bursts.
    @Test func aLevelThatStaysIsHeldBackSooner() throws {
        unsafe IRQPollHook.start = { Calls.add(15) }
        defer { unsafe IRQPollHook.start = nil }
        let line = try IRQ.request(line: 21, flags: .shared, handler: handler(1))
        func burst(_ limit: Int, pause: UInt64) -> Int {
            var count = 0
            while count < limit, machine.interrupt(21) {
                SimulatedCPU.current.machine.work(pause)
                count += 1
            }
            return count
        }
        #expect(burst(50_000, pause: 11_000) == 50_000)
        #expect(burst(50_000, pause: 8_000) < 3 * 8192)
        for _ in 0..<20 {
            SimulatedCPU.current.machine.work(10_000_000)
            #expect(!machine.poll())
            #expect(burst(50_000, pause: 8_000) == 512)
        }
        // It serves its device again.
        SimulatedCPU.current.machine.work(10_000_000)
        #expect(!machine.poll())
        #expect(burst(100, pause: 1_000_000) == 100)
        #expect(burst(20_000, pause: 11_000) == 20_000)
        try IRQ.free(line)
    }

    @Test func localVectors() {
        Vectors.setHandler(.reschedule, VectorHandler(word: 3) { _, word in Calls.add(word) })
        let before = InterruptStatistics.Local.reschedule.count(on: 0)
        machine.deliver(252)
        #expect(Calls.count(3) == 1)
        #expect(InterruptStatistics.Local.reschedule.count(on: 0) == before + 1)
        #expect(machine.apic.acknowledged == 1)
        // A spurious interrupt is counted and not acknowledged.
        machine.deliver(255)
        #expect(machine.apic.acknowledged == 1)
        #expect(InterruptStatistics.Local.spurious.count(on: 0) == 1)
    }

    @Test func vectorsRunOut() throws {
        var targets: [InterruptTarget] = []
        let failure = #expect(throws: IRQError.self) {
            while true { targets.append(try VectorAllocator.allocate(in: CPUMask(0))) }
        }
        #expect(failure == .noVector)
        #expect(Set(targets.map(\.vector)).count == targets.count)
        for target in targets {
            #expect(Vector(target.vector).use == .device)
            #expect(!(32..<48).contains(target.vector))
        }
        #expect(targets.count > 180)
        for target in targets { VectorAllocator.free(target) }
    }
}

extension Calls {
    nonisolated(unsafe) private static var storedVector = 0
    /// Written and read by one test.
    static var vector: Int {
        get { unsafe storedVector }
        set { unsafe storedVector = newValue }
    }
}
