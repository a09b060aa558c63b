// Calls between CPUs on the real machine.

import CrossCPU
import Interrupts
import Machine
import Primitives
import Synchronization
import Tasks

/// Counted by the called CPUs; one case at a time uses them.
private let ran = Atomic<Int>(0)
private let wrongCPU = Atomic<Int>(0)
private let order = Atomic<Int>(0)
private let release = Atomic<Bool>(false)

private func reset() {
    ran.store(0, ordering: .relaxed)
    wrongCPU.store(0, ordering: .relaxed)
    order.store(0, ordering: .relaxed)
    release.store(false, ordering: .relaxed)
}

private func ranCount() -> Int { ran.load(ordering: .acquiring) }

/// Makes a call that must not fail.
private func mustCall(_ check: inout Checker, _ call: () throws(CallError) -> Void) {
    do throws(CallError) { try call() } catch { check.expect(false, "refused: \(error.rawValue)") }
}

extension TestSuite {
    static let crossCPU = TestSuite(
        "crosscpu", callCases + asynchronousCases + synchronizeCases + badInputCases)

    private static let callCases = [
        TestCase("a call reaches every other CPU once") { _, check in
            reset()
            let others = CPUs.onlineCount - 1
            for _ in 0..<200 {
                withPreemptionOff { off in
                    mustCall(&check) { () throws(CallError) in
                        let count = try CrossCPU.callFunctionMany(
                            CPUs.online, wait: true, off, UInt(CPU.index)
                        ) {
                            if UInt(CPU.index) == $1 { wrongCPU.wrappingAdd(1, ordering: .relaxed) }
                            ran.wrappingAdd(1, ordering: .relaxed)
                        }
                        if count != others { wrongCPU.wrappingAdd(1, ordering: .relaxed) }
                    }
                }
            }
            check.expect(ranCount(), equals: 200 * others, "calls run")
            check.expect(wrongCPU.load(ordering: .relaxed), equals: 0, "calls run by the caller")
        },
        TestCase("calls from all CPUs at once are all run") { task, check in
            reset()
            let cpus = CPUs.onlineCount
            runOnEachCPU(task, &check) { _, _ in
                for round in 0..<300 {
                    withPreemptionOff { off in
                        _ = try? CrossCPU.callFunctionMany(CPUs.online, wait: round % 3 == 0, off) { _, _ in
                            ran.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                }
                // The last calls may still be on their way: one that waits comes behind them.
                withPreemptionOff { off in
                    _ = try? CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in }
                }
            }
            check.expect(ranCount(), equals: 300 * cpus * (cpus - 1), "calls run")
        },
        TestCase("a call to each CPU runs there, on this one too") { _, check in
            reset()
            for cpu in 0..<CPUs.count where CPUs.isOnline(cpu) {
                for wait in [true, false, true] {
                    withPreemptionOff { off in
                        mustCall(&check) { () throws(CallError) in
                            try CrossCPU.callFunction(on: cpu, wait: wait, off, UInt(cpu)) { _, wanted in
                                if UInt(CPU.index) != wanted { wrongCPU.wrappingAdd(1, ordering: .relaxed) }
                                if InterruptFlag.isEnabled || !PreemptCount.inHardInterrupt {
                                    wrongCPU.wrappingAdd(1, ordering: .relaxed)
                                }
                                ran.wrappingAdd(1, ordering: .relaxed)
                            }
                        }
                    }
                }
            }
            check.expect(ranCount(), equals: 3 * CPUs.onlineCount, "calls run")
            check.expect(wrongCPU.load(ordering: .relaxed), equals: 0, "calls in a wrong place")
        },
        TestCase("onEachCPU runs on all, callFunctionAny on one") { _, check in
            reset()
            for _ in 0..<50 {
                withPreemptionOff { off in
                    mustCall(&check) { () throws(CallError) in
                        try CrossCPU.onEachCPU(off) { _, _ in ran.wrappingAdd(1, ordering: .relaxed) }
                    }
                }
            }
            check.expect(ranCount(), equals: 50 * CPUs.onlineCount, "calls of onEachCPU")
            reset()
            for cpu in 0..<CPUs.count where CPUs.isOnline(cpu) {
                withPreemptionOff { off in
                    mustCall(&check) { () throws(CallError) in
                        let chosen = try CrossCPU.callFunctionAny(CPUMask(cpu), off) { _, _ in
                            order.store(CPU.index, ordering: .relaxed)
                            ran.wrappingAdd(1, ordering: .relaxed)
                        }
                        if chosen != cpu || order.load(ordering: .relaxed) != cpu {
                            wrongCPU.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                }
            }
            check.expect(ranCount(), equals: CPUs.onlineCount, "calls of callFunctionAny")
            check.expect(wrongCPU.load(ordering: .relaxed), equals: 0, "wrong choices")
        },
    ]

    private static let asynchronousCases = [
        TestCase("a caller's own node: started from interrupts-off code, busy until taken, all run") {
            _, check in
            reset()
            guard let target = (0..<CPUs.count).last(where: { CPUs.isOnline($0) && $0 != CPU.index }) else {
                return check.skip("one CPU only")
            }
            let call = AsynchronousCall { _, _ in ran.wrappingAdd(1, ordering: .relaxed) }
            var started = 0
            var busy = 0
            while started < 1000 {
                withInterruptsOff { _ in
                    do throws(CallError) {
                        try call.start(on: target)
                        started += 1
                    } catch {
                        if error == .busy { busy += 1 } else { check.expect(false, "\(error.rawValue)") }
                    }
                }
            }
            while call.isPending { Spin.pause() }
            withPreemptionOff { off in
                mustCall(&check) { () throws(CallError) in
                    try CrossCPU.callFunction(on: target, off) { _, _ in }
                }
            }
            check.expect(ranCount(), equals: 1000, "runs (busy \(busy) times)")
        }
    ]

    private static let synchronizeCases = [
        TestCase("synchronizeAll holds every other CPU until released") { task, check in
            let progress = Progress()
            let cpus = CPUs.onlineCount
            let done = Finished()
            // Many emulated CPUs take long to hold.
            let busy = min(cpus * 2, 32)
            let rounds = cpus > 16 ? 4 : 20
            for index in 0..<busy {
                let thread = try? Thread.create(
                    name: ThreadName("busy", number: index),
                    start: { task in
                        while !release.load(ordering: .acquiring) {
                            progress.turns.wrappingAdd(1, ordering: .relaxed)
                            Scheduler.reschedulePoint(task)
                        }
                        done.completion.complete()
                    })
                thread?.start()
            }
            reset()
            for _ in 0..<rounds {
                do throws(CallError) {
                    let moved = try CrossCPU.withAllSynchronized(task) { _ in
                        let before = progress.turns.load(ordering: .relaxed)
                        for _ in 0..<20_000 { Spin.pause() }
                        return progress.turns.load(ordering: .relaxed) - before
                    }
                    check.expect(moved, equals: 0, "turns of held CPUs")
                } catch { check.expect(false, "refused: \(error.rawValue)") }
                Scheduler.yield(task)
            }
            release.store(true, ordering: .releasing)
            for _ in 0..<busy { done.completion.wait(task) }
        },
        TestCase("many want to hold all CPUs at once: each has its turn") { task, check in
            reset()
            let holders = Progress()
            let turns = CPUs.onlineCount > 16 ? 2 : 10
            runThreads(4, task, &check) { _, task in
                for _ in 0..<turns {
                    let alone = try? CrossCPU.withAllSynchronized(task) { _ in
                        let others = holders.turns.wrappingAdd(1, ordering: .relaxed).oldValue
                        for _ in 0..<1000 { Spin.pause() }
                        holders.turns.wrappingSubtract(1, ordering: .relaxed)
                        return others == 0
                    }
                    if alone != true { wrongCPU.wrappingAdd(1, ordering: .relaxed) }
                    ran.wrappingAdd(1, ordering: .relaxed)
                }
            }
            check.expect(ranCount(), equals: 4 * turns, "turns")
            check.expect(wrongCPU.load(ordering: .relaxed), equals: 0, "turns with another holder")
        },
    ]

    private static let badInputCases = [
        TestCase("calls that cannot be made are errors") { _, check in
            reset()
            var got: [CallError] = []
            func expectError(_ call: () throws(CallError) -> Void) {
                do throws(CallError) {
                    try call()
                    check.expect(false, "no error")
                } catch { got.append(error) }
            }
            withPreemptionOff { off in
                expectError { () throws(CallError) in
                    try CrossCPU.callFunction(on: CPUs.count, off) { _, _ in }
                }
                expectError { () throws(CallError) in try CrossCPU.callFunction(on: -1, off) { _, _ in } }
                expectError { () throws(CallError) in
                    try CrossCPU.callFunctionAny(CPUMask(), off) { _, _ in }
                }
                mustCall(&check) { () throws(CallError) in
                    let count = try CrossCPU.callFunctionMany(CPUMask(), wait: true, off) { _, _ in }
                    if count != 0 { wrongCPU.wrappingAdd(1, ordering: .relaxed) }
                }
            }
            let call = AsynchronousCall { _, _ in }
            expectError { () throws(CallError) in try call.start(on: 300) }
            check.expect(got == [.noSuchCPU, .noSuchCPU, .offline, .noSuchCPU], "other errors")
            check.expect(wrongCPU.load(ordering: .relaxed), equals: 0, "an empty mask called somebody")
        },
        TestCase("waiting with interrupts off is refused and reported") { _, check in
            if CPUs.onlineCount < 2 { return check.skip("one CPU only") }
            let before = CrossCPU.reportedWaits
            let refused = withInterruptsOff { _ in
                withPreemptionOff { off in
                    do throws(CallError) {
                        try CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in }
                        return false
                    } catch { return error == .wouldDeadlock }
                }
            }
            check.expect(refused, "not refused")
            check.expect(CrossCPU.reportedWaits - before, equals: 1, "reports")
        },
        TestCase("a function that does not return is reported with the CPU's name; others work on") {
            task, check in
            reset()
            guard let stuck = (0..<CPUs.count).last(where: { CPUs.isOnline($0) && $0 != CPU.index }) else {
                return check.skip("one CPU only")
            }
            let before = CrossCPU.reportedWaits
            let limit = CrossCPU.waitLimit
            CrossCPU.setWaitLimit(50_000_000)
            defer { CrossCPU.setWaitLimit(limit) }
            let freer = try? Thread.create(
                name: "freer",
                start: { task in
                    while CrossCPU.reportedWaits == before { Scheduler.yield(task) }
                    release.store(true, ordering: .releasing)
                })
            freer?.bind(to: CPUMask.all.subtracting(CPUMask(stuck)).subtracting(CPUMask(CPU.index)))
            if CPUs.onlineCount > 2 { freer?.start() } else { freer?.discardUnstarted() }
            withPreemptionOff { off in
                mustCall(&check) { () throws(CallError) in
                    try CrossCPU.callFunction(on: stuck, off) { _, _ in
                        // With two CPUs there is nobody to free it: it gives up by itself.
                        let end = CycleClock.now &+ 200_000_000
                        while !release.load(ordering: .acquiring), CycleClock.now < end { Spin.pause() }
                    }
                }
            }
            check.expect(CrossCPU.reportedWaits > before, "not reported")
        },
    ]
}

private final class Progress: Sendable {
    let turns = Atomic<Int>(0)
}
