// Calls between CPUs under hundreds of seeds: whatever the interleaving, each call runs once, on the right CPU, and
// a sender that waits is not let go before.

import CrossCPU
import Interrupts
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

/// What the functions of one run count; simulated CPUs take turns on one host thread, and runs of different tests
/// must not overlap.
private struct Counts {
    var ran = [Int](repeating: 0, count: 8)
    var wrong = 0
    var total: Int { ran.reduce(0, +) }
}

nonisolated(unsafe) private var counts = Counts()

/// The function most tests call: notes where it ran, and whether that is what the argument says.
private func note(_ context: borrowing HardInterruptContext, _ argument: UInt) {
    Spin.interleave()
    unsafe counts.ran[CPU.index] += 1
    if argument != 99, UInt(CPU.index) != argument { unsafe counts.wrong += 1 }
    if !PreemptCount.inHardInterrupt || InterruptFlag.isEnabled { unsafe counts.wrong += 1 }
}

private func check(
    _ condition: @autoclosure () -> Bool, _ what: @autoclosure () -> String = "a check failed",
    line: Int = #line
) { SimulatedKernel.check(condition(), what(), line: line) }

private func must(_ call: () throws(CallError) -> Void, line: Int = #line) {
    do throws(CallError) { try call() } catch { check(false, "refused: \(error)", line: line) }
}

extension CrossCPUMachineTests {
    @Suite struct CallTests {
        private func underSeeds(_ main: @escaping (borrowing TaskContext) -> Void) -> String? {
            SimulatedKernel.underSeeds(200, cpus: [2, 3, 4]) { task in
                unsafe counts = Counts()
                main(task)
                unsafe check(counts.wrong == 0, "\(counts.wrong) functions ran where they must not")
            }
        }

        @Test func aWaitingCallHasRunWhenItReturns() {
            let failure = underSeeds { task in
                SimulatedKernel.threads(4, task) { index, task in
                    for round in 0..<5 {
                        let target = (index + round) % CPUs.count
                        withPreemptionOff { off in
                            let before = unsafe counts.ran[target]
                            must { () throws(CallError) in
                                try CrossCPU.callFunction(on: target, off, UInt(target)) { note($0, $1) }
                            }
                            unsafe check(counts.ran[target] > before, "returned before it ran")
                        }
                        Scheduler.reschedulePoint(task)
                    }
                }
                unsafe check(counts.total == 20, "\(counts.total) ran")
            }
            #expect(failure == nil)
        }

        @Test func callsNobodyWaitsForAllRun() {
            let failure = underSeeds { task in
                SimulatedKernel.threads(4, task) { index, task in
                    for round in 0..<5 {
                        let target = (index + round) % CPUs.count
                        withPreemptionOff { off in
                            must { () throws(CallError) in
                                try CrossCPU.callFunction(on: target, wait: false, off, UInt(target)) {
                                    note($0, $1)
                                }
                            }
                        }
                    }
                }
                // A call that waits comes behind the others of its list.
                withPreemptionOff { off in
                    must { () throws(CallError) in try CrossCPU.onEachCPU(off, 99) { note($0, $1) } }
                }
                unsafe check(counts.total == 20 + CPUs.count, "\(counts.total) ran")
            }
            #expect(failure == nil)
        }

        @Test func manyFromAllSides() {
            let failure = underSeeds { task in
                let cpus = CPUs.count
                SimulatedKernel.threads(3, task) { index, task in
                    for round in 0..<4 {
                        withPreemptionOff { off in
                            must { () throws(CallError) in
                                let called = try CrossCPU.callFunctionMany(
                                    CPUs.online, wait: (index + round) % 2 == 0, off, 99
                                ) { note($0, $1) }
                                check(called == cpus - 1)
                            }
                        }
                        SimulatedKernel.compute(SimulatedKernel.random(3000))
                    }
                }
                withPreemptionOff { off in
                    must { () throws(CallError) in try CrossCPU.onEachCPU(off, 99) { note($0, $1) } }
                }
                unsafe check(counts.total == 12 * (cpus - 1) + cpus, "\(counts.total) ran")
            }
            #expect(failure == nil)
        }

        @Test func callsFromOneSenderRunInOrder() {
            let failure = underSeeds { task in
                unsafe Ordered.last = 0
                let target = CPUs.count - 1
                for number in 1...20 as ClosedRange<UInt> {
                    withPreemptionOff { off in
                        must { () throws(CallError) in
                            try CrossCPU.callFunction(on: target, wait: number % 4 == 0, off, number) {
                                _, number in
                                if unsafe number != Ordered.last + 1 { unsafe counts.wrong += 1 }
                                unsafe Ordered.last = number
                            }
                        }
                    }
                }
            }
            #expect(failure == nil)
        }

        private enum Ordered {
            nonisolated(unsafe) static var last: UInt = 0
        }

        @Test func anInterruptGoesOnlyToAnEmptyList() {
            let failure = SimulatedKernel.underSeeds(100, cpus: [2]) { task in
                unsafe counts = Counts()
                Thread.current.bind(to: CPUMask(0))
                Scheduler.yield(task)
                let machine = SimulatedCPU.current.machine
                // The receiver takes nothing while it is held: of three calls only the first interrupts it.
                let calls = Calls()
                do throws(CallError) {
                    try CrossCPU.withAllSynchronized(task) { _ in
                        let before = machine.sentIPIs
                        must { () throws(CallError) in try calls.first.start(on: 1) }
                        must { () throws(CallError) in try calls.second.start(on: 1) }
                        must { () throws(CallError) in try calls.third.start(on: 1) }
                        check(machine.sentIPIs == before + 1, "\(machine.sentIPIs - before) interrupts")
                    }
                } catch { check(false) }
                while calls.third.isPending { Spin.pause() }
                withPreemptionOff { off in
                    must { () throws(CallError) in try CrossCPU.callFunction(on: 1, off, 1) { note($0, $1) } }
                }
                unsafe check(counts.ran[1] == 4, "\(counts.ran[1]) ran")
            }
            #expect(failure == nil)
        }

        private final class Calls: Sendable {
            let first = AsynchronousCall(1) { note($0, $1) }
            let second = AsynchronousCall(1) { note($0, $1) }
            let third = AsynchronousCall(1) { note($0, $1) }
        }

        @Test func ownNodesFromTopHalves() {
            let failure = underSeeds { task in
                let calls = Calls()
                let started = Atomic<Int>(0)
                SimulatedKernel.handler = { _, _ in
                    do throws(CallError) {
                        try calls.first.start(on: 1)
                        started.wrappingAdd(1, ordering: .relaxed)
                    } catch { check(error == .busy, "\(error)") }
                }
                for _ in 0..<30 {
                    SimulatedKernel.interrupt(Int(SimulatedKernel.random(UInt64(CPUs.count))))
                    SimulatedKernel.compute(500)
                }
                SimulatedKernel.sleep(until: CycleClock.now + 1_000_000, task)
                while calls.first.isPending { Spin.pause() }
                withPreemptionOff { off in
                    must { () throws(CallError) in try CrossCPU.callFunction(on: 1, off, 1) { note($0, $1) } }
                }
                let runs = started.load(ordering: .relaxed)
                unsafe check(counts.ran[1] == runs + 1, "\(counts.ran[1]) of \(runs) ran")
                SimulatedKernel.handler = nil
            }
            #expect(failure == nil)
        }
    }
}
