// The way of interrupts, exceptions and NMIs on the real machine.

import CMachine
import Interrupts
import Machine
import Primitives
import Synchronization
import Tasks

/// What the handlers of these cases leave behind.
private enum Seen {
    static let calls = Atomic<Int>(0)
    static let wrongContext = Atomic<Int>(0)
    static let nmiDepth = Atomic<Int>(0)
    static let nmiNested = Atomic<Int>(0)
    static let nmiWanted = Atomic<Int>(0)
    static let nmiSeen = Atomic<Int>(0)

    @_semantics("no_performance_analysis")
    static func call() {
        calls.wrappingAdd(1, ordering: .relaxed)
        if InterruptFlag.isEnabled || !PreemptCount.inHardInterrupt {
            wrongContext.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// The first NMI takes a fault that the exception table mends, while a second one is waiting.
    @_semantics("no_performance_analysis")
    static func nmi() -> Bool {
        guard nmiWanted.load(ordering: .relaxed) > 0 else { return false }
        if nmiDepth.wrappingAdd(1, ordering: .relaxed).oldValue > 0 {
            nmiNested.wrappingAdd(1, ordering: .relaxed)
        }
        if nmiSeen.wrappingAdd(1, ordering: .relaxed).oldValue == 0 {
            LocalAPIC.sendNMI(to: CPU.apicID)
            for _ in 0..<100 { _ = CheckedMemory.load(VirtualAddress(8)) }
        }
        nmiWanted.wrappingSubtract(1, ordering: .relaxed)
        nmiDepth.wrappingSubtract(1, ordering: .relaxed)
        return true
    }
}

/// Waits up to a second, by the TSC, for `condition`.
private func waitFor(_ condition: () -> Bool) -> Bool {
    for _ in 0..<10_000 {
        if condition() { return true }
        Delay.microseconds(100)
    }
    return condition()
}

/// A vector that the map reserves and nobody uses.
private let testVector = Vector(245)

extension TestSuite {
    static let interrupts = TestSuite(
        "interrupts",
        [
            TestCase("the exception table mends loads of what is not mapped, and of no address at all") {
                _, check in
                for address in [0, 0x3fff_ffff_f000, 0x4ff0_0000_0000, 0x8000_0000_0000, UInt.max - 7]
                    as [UInt]
                {
                    check.expect(
                        CheckedMemory.load(VirtualAddress(address)) == nil, "\(hex: address) was read")
                }
                var value: UInt64 = 0x1234
                let address = unsafe withUnsafePointer(to: &value) { VirtualAddress(UInt(bitPattern: $0)) }
                check.expect(CheckedMemory.load(address) == value, "a good address was not read")
            },
            TestCase("interrupts to oneself are counted to the last one") { _, check in
                Vectors.setHandler(testVector, VectorHandler { @Sendable _, _ in Seen.call() })
                Seen.calls.store(0, ordering: .relaxed)
                withPreemptionOff { _ in
                    let before = CPUArea.count(vector: testVector.number, cpu: CPU.index)
                    for sent in 1...10_000 {
                        LocalAPIC.sendToSelf(vector: testVector.number)
                        if !waitFor({ Seen.calls.load(ordering: .relaxed) == sent }) {
                            return check.expect(false, "interrupt \(sent) did not come")
                        }
                    }
                    let counted = CPUArea.count(vector: testVector.number, cpu: CPU.index) - before
                    check.expect(counted, equals: 10_000, "counted")
                }
                check.expect(
                    Seen.wrongContext.load(ordering: .relaxed), equals: 0, "calls outside a hard interrupt")
            },
            TestCase("interrupts wait while they are off") { _, check in
                Seen.calls.store(0, ordering: .relaxed)
                withInterruptsOff { _ in
                    LocalAPIC.sendToSelf(vector: testVector.number)
                    Delay.microseconds(1000)
                    check.expect(Seen.calls.load(ordering: .relaxed), equals: 0, "calls while off")
                    check.expect(LocalAPIC.isRequested(testVector.number), "the interrupt does not wait")
                }
                check.expect(waitFor { Seen.calls.load(ordering: .relaxed) == 1 }, "it did not come")
            },
            TestCase("a vector that nobody owns is counted, and others still come") { _, check in
                let before = Vectors.unowned
                withPreemptionOff { _ in
                    LocalAPIC.sendToSelf(vector: 200)
                    check.expect(waitFor { Vectors.unowned == before + 1 }, "not counted")
                    check.expect(!LocalAPIC.isInService(200), "not acknowledged")
                }
                Seen.calls.store(0, ordering: .relaxed)
                LocalAPIC.sendToSelf(vector: testVector.number)
                check.expect(
                    waitFor { Seen.calls.load(ordering: .relaxed) == 1 }, "the next one did not come")
            },
            TestCase("an NMI that faults does not let the next one in") { _, check in
                let added = NonMaskable.addHandler { @Sendable _ in Seen.nmi() }
                check.expect(added, "no room for a handler")
                for round in 0..<100 {
                    Seen.nmiSeen.store(0, ordering: .relaxed)
                    Seen.nmiWanted.store(2, ordering: .relaxed)
                    withPreemptionOff { _ in LocalAPIC.sendNMI(to: CPU.apicID) }
                    if !waitFor({ Seen.nmiSeen.load(ordering: .relaxed) == 2 }) {
                        let seen = Seen.nmiSeen.load(ordering: .relaxed)
                        check.expect(false, "round \(round): \(seen) NMIs of 2 came")
                        break
                    }
                }
                check.expect(Seen.nmiNested.load(ordering: .relaxed), equals: 0, "NMIs inside an NMI")
                check.expect(!PreemptCount.inHardInterrupt, "the count of interrupts is not put back")
            },
            TestCase("a mistake of the kernel ends the thread in whose name it happened, and nothing else") {
                task, check in
                let before = Oops.count
                for _ in 0..<3 {
                    guard
                        let thread = try? Thread.create(
                            name: "mistaken", start: { _ in machine_raise_invalid_opcode() })
                    else { return check.expect(false, "no thread") }
                    thread.start()
                }
                for _ in 0..<1000 where Oops.count != before + 3 {
                    Scheduler.yield(task)
                    Delay.microseconds(1000)
                }
                check.expect(Oops.count, equals: before + 3, "reports")
                check.expect(!Panic.isInProgress, "a panic")
            },
            TestCase("a device line: every interrupt of the PIT is handled and counted") { _, check in
                Seen.calls.store(0, ordering: .relaxed)
                let handler = IRQHandler("test") { @Sendable _, _ in
                    Seen.call()
                    return .handled
                }
                do throws(IRQError) {
                    let line = try IRQ.request(line: 0, handler: handler)
                    PIT.start(.rate, count: 1193)
                    let came = waitFor { Seen.calls.load(ordering: .relaxed) >= 100 }
                    PIT.stop()
                    try IRQ.disable(line: 0)
                    let calls = Seen.calls.load(ordering: .relaxed)
                    let counted = InterruptStatistics.line(0)?.counts.reduce(0, &+) ?? 0
                    try IRQ.free(line)
                    if calls == 0 { return check.skip("no interrupt of a PIT comes here") }
                    check.expect(came, "only \(calls) interrupts in a second")
                    check.expect(counted, equals: UInt64(calls), "counted")
                    check.expect(
                        Seen.wrongContext.load(ordering: .relaxed), equals: 0,
                        "calls outside a hard interrupt")
                } catch {
                    check.skip("line 0 cannot be had")
                }
            },
        ])
}
