// Holding all CPUs, on the simulated machine.

import CrossCPU
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing
import Time

private final class Shared: Sendable {
    let turns = Atomic<Int>(0)
    let holders = Atomic<Int>(0)
    let isOver = Atomic<Bool>(false)
}

extension CrossCPUMachineTests {
    @Suite struct SynchronizeTests {
        @Test func nobodyElseRunsWhileHeld() {
            let failure = SimulatedKernel.underSeeds(60, cpus: [2, 4]) { task in
                let shared = Shared()
                // As many as leave a CPU for this thread: who shares one waits for slices, which are long.
                for _ in 1..<SimulatedCPU.current.machine.cpus.count {
                    SimulatedKernel.start { task in
                        while !shared.isOver.load(ordering: .relaxed) {
                            shared.turns.wrappingAdd(1, ordering: .relaxed)
                            SimulatedKernel.compute(200)
                            Scheduler.reschedulePoint(task)
                        }
                    }
                }
                for _ in 0..<3 {
                    do throws(CallError) {
                        let moved = try CrossCPU.withAllSynchronized(task) { _ in
                            let before = shared.turns.load(ordering: .relaxed)
                            SimulatedKernel.compute(20_000)
                            return shared.turns.load(ordering: .relaxed) - before
                        }
                        SimulatedKernel.check(moved == 0, "\(moved) turns while held")
                    } catch { SimulatedKernel.check(false, "refused") }
                    // A yield would wait for whole slices of those who compute.
                    Thread.sleep(for: 2_000, task)
                }
                shared.isOver.store(true, ordering: .relaxed)
            }
            #expect(failure == nil)
        }

        @Test func oneHolderAtATime() {
            let failure = SimulatedKernel.underSeeds(150, cpus: [1, 2, 4]) { task in
                let shared = Shared()
                SimulatedKernel.threads(3, task) { _, task in
                    for _ in 0..<3 {
                        do throws(CallError) {
                            try CrossCPU.withAllSynchronized(task) { _ in
                                let others = shared.holders.wrappingAdd(1, ordering: .relaxed).oldValue
                                SimulatedKernel.check(others == 0, "two hold at once")
                                SimulatedKernel.compute(500)
                                shared.holders.wrappingSubtract(1, ordering: .relaxed)
                            }
                        } catch { SimulatedKernel.check(false, "refused") }
                    }
                }
            }
            #expect(failure == nil)
        }
    }
}
