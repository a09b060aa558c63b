// Sleeping locks and semaphores.

import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

extension SimulatedMachineTests {
    @Suite struct MutexTests {
        private final class Shared: Sendable {
            let mutex = Tasks.Mutex(0)
            let semaphore = Semaphore(2)
            let completion = Completion()
        }

        @Test func oneAtATime() {
            let failure = SimulatedKernel.underSeeds(150) { task in
                let shared = Shared()
                let inside = Counter()
                SimulatedKernel.threads(5, task) { _, task in
                    for _ in 0..<6 {
                        shared.mutex.withLock(task) { value in
                            SimulatedKernel.check(inside.add() == 1, "two inside")
                            SimulatedKernel.check(shared.mutex.owner == Thread.current.identifier)
                            let old = value
                            if SimulatedKernel.random(3) == 0 { Scheduler.yield(task) }
                            Spin.interleave()
                            value = old + 1
                            inside.add(-1)
                        }
                    }
                }
                SimulatedKernel.check(shared.mutex.withLock(task) { $0 } == 30)
                SimulatedKernel.check(shared.mutex.owner == nil, "owner after all have gone")
            }
            #expect(failure == nil)
        }

        /// A thread that takes the lock again and again cannot keep another from it for ever.
        @Test func nobodyStarves() {
            let failure = SimulatedKernel.underSeeds(60, cpus: [2, 4]) { task in
                let shared = Shared()
                let got = Counter()
                let greedy = SimulatedKernel.start { task in
                    while got.value == 0 {
                        shared.mutex.withLock(task) { _ in SimulatedKernel.compute(300) }
                    }
                }
                SimulatedKernel.compute(2000)
                SimulatedKernel.start { task in shared.mutex.withLock(task) { _ in _ = got.add() } }
                var rounds = 0
                while got.value == 0 {
                    SimulatedKernel.compute(50_000)
                    Scheduler.yield(task)
                    rounds += 1
                    SimulatedKernel.check(rounds < 1000, "the second thread starves")
                }
                while greedy.exists { Scheduler.yield(task) }
            }
            #expect(failure == nil)
        }

        @Test func tryingDoesNotWait() {
            let failure = SimulatedKernel.run(cpus: 1, seed: 3) { task in
                let shared = Shared()
                shared.mutex.withLock(task) { _ in
                    SimulatedKernel.threads(1, task) { _, task in
                        SimulatedKernel.check(shared.mutex.tryWithLock(task) { $0 } == nil)
                    }
                }
                SimulatedKernel.check(shared.mutex.tryWithLock(task) { $0 } == 0)
            }
            #expect(failure == nil)
        }

        @Test func semaphoreLetsTwoIn() {
            let failure = SimulatedKernel.underSeeds(100) { task in
                let shared = Shared()
                let inside = Counter()
                SimulatedKernel.threads(5, task) { _, task in
                    for _ in 0..<4 {
                        do throws(Errno) {
                            try shared.semaphore.wait(task)
                        } catch { SimulatedKernel.check(false, "no signal was sent") }
                        SimulatedKernel.check(inside.add() <= 2, "three inside")
                        Scheduler.yield(task)
                        inside.add(-1)
                        shared.semaphore.signal()
                    }
                }
            }
            #expect(failure == nil)
        }

        @Test func completeAllLetsEverybodyGoOn() {
            let failure = SimulatedKernel.underSeeds(60) { task in
                let shared = Shared()
                let passed = Counter()
                for _ in 0..<4 {
                    SimulatedKernel.start { task in
                        shared.completion.wait(task)
                        passed.add()
                    }
                }
                SimulatedKernel.compute(3000)
                shared.completion.completeAll()
                shared.completion.wait(task)
                while passed.value < 4 { Scheduler.yield(task) }
            }
            #expect(failure == nil)
        }
    }
}
