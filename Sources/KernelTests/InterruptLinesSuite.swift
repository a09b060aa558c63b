// Device lines on the real machine: their counts, sharing, threads, moving from CPU to CPU, nesting.

import Interrupts
import Machine
import Primitives
import Synchronization
import Tasks

/// What the handlers of these cases leave behind; one case at a time uses them.
private enum Seen {
    static let handled = Atomic<Int>(0)
    static let foreign = Atomic<Int>(0)
    static let threads = Atomic<Int>(0)
    static let nested = Atomic<Int>(0)
    static let overlap = Atomic<Int>(0)
    static let inside = Atomic<Int>(0)
    static let ipis = Atomic<Int>(0)
    static let pit = Atomic<Int>(0)
    static let cpus = Atomic<UInt64>(0)

    static func clear() {
        handled.store(0, ordering: .relaxed)
        foreign.store(0, ordering: .relaxed)
        threads.store(0, ordering: .relaxed)
        nested.store(0, ordering: .relaxed)
        overlap.store(0, ordering: .relaxed)
        inside.store(0, ordering: .relaxed)
        ipis.store(0, ordering: .relaxed)
        pit.store(0, ordering: .relaxed)
        cpus.store(0, ordering: .relaxed)
    }

    @_semantics("no_performance_analysis")
    static func serve() -> IRQReturn {
        if inside.wrappingAdd(1, ordering: .relaxed).oldValue != 0 {
            overlap.wrappingAdd(1, ordering: .relaxed)
        }
        cpus.bitwiseOr(1 << UInt64(CPU.index & 63), ordering: .relaxed)
        let wasMine = TestPort.acknowledge()
        if wasMine { handled.wrappingAdd(1, ordering: .releasing) }
        inside.wrappingSubtract(1, ordering: .relaxed)
        return wasMine ? .handled : .none
    }

    @_semantics("no_performance_analysis")
    static func count(_ counter: borrowing Atomic<Int>) { counter.wrappingAdd(1, ordering: .releasing) }
}

private let owner = IRQHandler("test") { @Sendable _, _ in Seen.serve() }
private let other = IRQHandler("other", word: 1) { @Sendable _, _ in
    Seen.count(Seen.foreign)
    return .none
}

/// Waits up to two seconds, by the TSC, for `condition`.
private func waitFor(_ condition: () -> Bool) -> Bool {
    for _ in 0..<200_000 {
        if condition() { return true }
        Delay.microseconds(10)
    }
    return condition()
}

/// Raises the line once and waits until the handler has seen it; false if it does not come.
private func fire() -> Bool {
    let before = Seen.handled.load(ordering: .acquiring)
    TestPort.raise()
    let came = waitFor { Seen.handled.load(ordering: .acquiring) != before }
    TestPort.lower()
    return came
}

private func total(_ line: Int) -> UInt64 { InterruptStatistics.total(line: line) }

/// Counts what a thread does beside the case.
private final class Helper: Sendable {
    let isWanted = Atomic<Bool>(true)
    let turns = Atomic<Int>(0)
    let failures = Atomic<Int>(0)
    let done = Completion()
}

extension TestSuite {
    static let interruptLines = TestSuite(
        "lines",
        [
            TestCase("a shared line asks all of its handlers, and counts to the last interrupt") { _, check in
                guard TestPort.open() else { return check.skip("no test port") }
                Seen.clear()
                do throws(IRQError) {
                    let first = try IRQ.request(line: TestPort.line, flags: .shared, handler: other)
                    let second = try IRQ.request(line: TestPort.line, flags: .shared, handler: owner)
                    let before = total(TestPort.line)
                    for round in 0..<5000 where !fire() {
                        check.expect(false, "interrupt \(round) did not come")
                        break
                    }
                    check.expect(total(TestPort.line) - before, equals: 5000, "counted")
                    check.expect(Seen.handled.load(ordering: .relaxed), equals: 5000, "handled")
                    check.expect(Seen.foreign.load(ordering: .relaxed), equals: 5000, "asked")
                    let refused = (try? IRQ.request(line: TestPort.line, handler: owner)) == nil
                    check.expect(refused, "an owner that does not share got the line")
                    try IRQ.free(first)
                    try IRQ.free(second)
                    let again = (try? IRQ.free(second)) == nil
                    check.expect(again, "freed twice")
                } catch { check.expect(false, "the line cannot be had") }
            },
            TestCase("disabling nests, and an edge meanwhile is handled afterwards") { _, check in
                guard TestPort.open() else { return check.skip("no test port") }
                Seen.clear()
                do throws(IRQError) {
                    let line = try IRQ.request(line: TestPort.line, handler: owner)
                    try IRQ.disable(line: TestPort.line)
                    try IRQ.disable(line: TestPort.line)
                    try IRQ.enable(line: TestPort.line)
                    check.expect((try? IRQ.enable(line: 99)) == nil, "a line that is not there")
                    try IRQ.enable(line: TestPort.line)
                    check.expect(fire(), "it does not come any more")
                    check.expect((try? IRQ.enable(line: TestPort.line)) == nil, "enabled once too often")
                    try IRQ.free(line)
                } catch { check.expect(false, "the line cannot be had") }
            },
            TestCase("a threaded handler runs once for each interrupt, and may sleep") { task, check in
                guard TestPort.open() else { return check.skip("no test port") }
                Seen.clear()
                let waker = IRQHandler("threaded") { @Sendable _, _ in
                    Seen.serve() == .handled ? .wakeThread : .none
                }
                for flags in [[], .oneShot] as [IRQFlags] {
                    do throws(IRQError) {
                        Seen.clear()
                        let threaded = try ThreadedIRQ.request(
                            line: TestPort.line, flags: flags, handler: waker, task
                        ) { @Sendable task, _ in
                            Scheduler.yield(task)
                            Seen.count(Seen.threads)
                        }
                        for round in 1...500 {
                            TestPort.raise()
                            var came = false
                            for _ in 0..<200_000 where !came {
                                came = Seen.threads.load(ordering: .acquiring) == round
                                if !came { Scheduler.yield(task) }
                            }
                            TestPort.lower()
                            if !came {
                                check.expect(false, "thread did not run for interrupt \(round)")
                                break
                            }
                        }
                        try threaded.synchronize(task)
                        try threaded.free(task)
                        check.expect(Seen.threads.load(ordering: .relaxed), equals: 500, "runs")
                    } catch { check.expect(false, "the line cannot be had") }
                }
            },
            TestCase("a line moves from CPU to CPU and loses no edge") { task, check in
                guard TestPort.open() else { return check.skip("no test port") }
                Seen.clear()
                do throws(IRQError) {
                    let line = try IRQ.request(line: TestPort.line, handler: owner)
                    defer { try? IRQ.free(line) }
                    if (try? IRQ.setAffinity(line: TestPort.line, CPUs.online)) == nil {
                        return check.skip("this chip cannot move lines")
                    }
                    let none = (try? IRQ.setAffinity(line: TestPort.line, CPUMask())) == nil
                    check.expect(none, "moved to no CPU at all")
                    let offline = (try? IRQ.setAffinity(line: TestPort.line, CPUMask(255))) == nil
                    check.expect(offline, "moved to a CPU that is not there")
                    let helper = Helper()
                    guard
                        let mover = try? Thread.create(
                            name: "mover",
                            start: { task in
                                while helper.isWanted.load(ordering: .relaxed) {
                                    let turn = helper.turns.wrappingAdd(1, ordering: .relaxed).oldValue
                                    // No pattern that the turns of the other thread could follow.
                                    let mixed = UInt64(turn) &* 0x9e37_79b9_7f4a_7c15
                                    let cpu = Int(mixed >> 40) % CPUs.onlineCount
                                    do throws(IRQError) {
                                        try IRQ.setAffinity(line: TestPort.line, CPUMask(cpu))
                                    } catch { helper.failures.wrappingAdd(1, ordering: .relaxed) }
                                    Scheduler.yield(task)
                                }
                                helper.done.complete()
                            })
                    else { return check.expect(false, "no thread") }
                    mover.start()
                    let before = total(TestPort.line)
                    var fired = 0
                    while fired < 5000, fire() {
                        fired += 1
                        if fired % 16 == 0 { Scheduler.yield(task) }
                    }
                    helper.isWanted.store(false, ordering: .relaxed)
                    helper.done.wait(task)
                    check.expect(fired, equals: 5000, "interrupts that came")
                    check.expect(total(TestPort.line) - before, equals: 5000, "counted")
                    check.expect(helper.failures.load(ordering: .relaxed), equals: 0, "moves refused")
                    check.expect(Seen.overlap.load(ordering: .relaxed), equals: 0, "handlers at once")
                    for cpu in 0..<min(CPUs.onlineCount, 64) {
                        Seen.cpus.store(0, ordering: .relaxed)
                        try IRQ.setAffinity(line: TestPort.line, CPUMask(cpu))
                        check.expect(fire(), "none came on CPU \(cpu)")
                        check.expect(
                            Seen.cpus.load(ordering: .relaxed), equals: 1 << UInt64(cpu),
                            "CPUs of one interrupt")
                    }
                } catch { check.expect(false, "the line cannot be had") }
            },
            TestCase("counts equal what was sent, from several sources at once") { task, check in
                guard TestPort.open() else { return check.skip("no test port") }
                Seen.clear()
                let vector = Vector(246)
                Vectors.setHandler(vector, VectorHandler { @Sendable _, _ in Seen.count(Seen.ipis) })
                let timer = IRQHandler("pit") { @Sendable _, _ in
                    Seen.count(Seen.pit)
                    return .handled
                }
                do throws(IRQError) {
                    let line = try IRQ.request(line: TestPort.line, handler: owner)
                    // Before the request: an interrupt may be left from an earlier use of the PIT.
                    let pitBefore = total(0)
                    let pit = try? IRQ.request(line: 0, handler: timer)
                    let lineBefore = total(TestPort.line)
                    let vectorBefore = vectorTotal(vector)
                    if pit != nil { PIT.start(.rate, count: 600) }
                    let sender = Helper()
                    guard
                        let thread = try? Thread.create(
                            name: "sender",
                            start: { _ in
                                for sent in 1...10_000 {
                                    withPreemptionOff { _ in
                                        LocalAPIC.sendToSelf(vector: vector.number)
                                        if !waitFor({ Seen.ipis.load(ordering: .acquiring) == sent }) {
                                            sender.failures.wrappingAdd(1, ordering: .relaxed)
                                        }
                                    }
                                }
                                sender.done.complete()
                            })
                    else { return check.expect(false, "no thread") }
                    thread.start()
                    for round in 0..<10_000 where !fire() {
                        check.expect(false, "interrupt \(round) did not come")
                        break
                    }
                    sender.done.wait(task)
                    PIT.stop()
                    if let pit {
                        try IRQ.disable(line: 0)
                        let counted = total(0) - pitBefore
                        try IRQ.free(pit)
                        let seen = UInt64(Seen.pit.load(ordering: .relaxed))
                        check.expect(counted, equals: seen, "PIT counted")
                    }
                    try IRQ.free(line)
                    check.expect(total(TestPort.line) - lineBefore, equals: 10_000, "line counted")
                    check.expect(Seen.handled.load(ordering: .relaxed), equals: 10_000, "line handled")
                    check.expect(vectorTotal(vector) - vectorBefore, equals: 10_000, "vector counted")
                    check.expect(sender.failures.load(ordering: .relaxed), equals: 0, "vectors lost")
                } catch { check.expect(false, "the line cannot be had") }
            },
            TestCase("a non-critical handler lets others in, one that is critical does not") { _, check in
                guard TestPort.open() else { return check.skip("no test port") }
                Seen.clear()
                Vectors.setHandler(Vector(246), VectorHandler { @Sendable _, _ in Seen.count(Seen.ipis) })
                let open = NonCriticalHandler { @Sendable _, _ in
                    let before = Seen.ipis.load(ordering: .acquiring)
                    LocalAPIC.sendToSelf(vector: 246)
                    for _ in 0..<1_000_000 where Seen.ipis.load(ordering: .acquiring) == before {
                        Spin.pause()
                    }
                    if Seen.ipis.load(ordering: .acquiring) != before { Seen.count(Seen.nested) }
                    return Seen.serve()
                }
                do throws(IRQError) {
                    let line = try IRQ.request(line: TestPort.line, handler: open.handler("open"))
                    for _ in 0..<200 where !fire() { check.expect(false, "an interrupt did not come") }
                    try IRQ.free(line)
                    open.dispose()
                    check.expect(Seen.nested.load(ordering: .relaxed), equals: 200, "nested interrupts")
                    check.expect(!PreemptCount.inHardInterrupt, "the count of interrupts is not put back")
                } catch { check.expect(false, "the line cannot be had") }
            },
        ])
}

private func vectorTotal(_ vector: Vector) -> UInt64 {
    var sum: UInt64 = 0
    for cpu in 0..<CPUs.count { sum += CPUArea.count(vector: vector.number, cpu: cpu) }
    return sum
}
