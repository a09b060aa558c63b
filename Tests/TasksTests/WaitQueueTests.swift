// Wait queues: no wake-up is lost, whoever wakes, whatever else happens.

import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

private final class Shared: Sendable {
    let queue = WaitQueue()
    let turn = Counter()
    let tokens = Atomic<Int>(0)
    let taken = Counter()
    let stop = Counter()

    func takeToken() -> Bool {
        var seen = tokens.load(ordering: .acquiring)
        while seen > 0 {
            Spin.interleave()
            let (done, original) = tokens.compareExchange(
                expected: seen, desired: seen - 1, ordering: .acquiringAndReleasing)
            if done { return true }
            seen = original
        }
        return false
    }
}

extension SimulatedMachineTests {
    @Suite struct WaitQueueTests {
        @Test func pingPong() {
            let failure = SimulatedKernel.underSeeds(200) { task in
                let shared = Shared()
                SimulatedKernel.threads(2, task) { index, task in
                    for round in 0..<20 {
                        shared.queue.waitUninterruptibly(task) { shared.turn.value == round * 2 + index }
                        shared.turn.add()
                        shared.queue.wakeAll()
                    }
                }
                SimulatedKernel.check(shared.turn.value == 40)
            }
            #expect(failure == nil)
        }

        /// As many tokens as waiters, each made with one `wakeOne`: nobody is left asleep.
        @Test func eachTokenReachesAnExclusiveWaiter() {
            let failure = SimulatedKernel.underSeeds(200) { task in
                let shared = Shared()
                for _ in 0..<6 {
                    SimulatedKernel.start { task in
                        for _ in 0..<5 {
                            shared.queue.waitUninterruptibly(task, exclusive: true) { shared.takeToken() }
                            shared.taken.add()
                        }
                        shared.stop.add()
                    }
                }
                for _ in 0..<30 {
                    shared.tokens.wrappingAdd(1, ordering: .sequentiallyConsistent)
                    Spin.interleave()
                    shared.queue.wakeOne()
                    SimulatedKernel.compute(SimulatedKernel.random(2000))
                }
                while shared.stop.value < 6 { Scheduler.yield(task) }
                SimulatedKernel.check(shared.taken.value == 30)
            }
            #expect(failure == nil)
        }

        /// A waiter that leaves because of a signal passes on the wake-up that had chosen it.
        @Test func aSignalDoesNotSwallowATokensWakeUp() {
            let failure = SimulatedKernel.underSeeds(300) { task in
                let shared = Shared()
                let patient = SimulatedKernel.start { task in
                    shared.queue.waitUninterruptibly(task, exclusive: true) { shared.takeToken() }
                    shared.stop.add()
                }
                let victim = SimulatedKernel.start { task in
                    do throws(Errno) {
                        try shared.queue.wait(task, exclusive: true) { shared.takeToken() }
                    } catch {
                        SimulatedKernel.check(error == .restartSystem)
                        shared.taken.add()
                    }
                    shared.stop.add()
                }
                _ = patient
                SimulatedKernel.compute(SimulatedKernel.random(4000))
                // Two tokens for two waiters, or one for the one that the signal leaves; the patient one gets its own.
                SimulatedKernel.start { _ in victim.notifySignal() }
                shared.tokens.wrappingAdd(1, ordering: .sequentiallyConsistent)
                shared.queue.wakeOne()
                while victim.exists { Scheduler.yield(task) }
                if shared.taken.value == 0 {
                    shared.tokens.wrappingAdd(1, ordering: .sequentiallyConsistent)
                    shared.queue.wakeOne()
                }
                while shared.stop.value < 2 { Scheduler.yield(task) }
            }
            #expect(failure == nil)
        }

        @Test func wakeUpsFromTopHalves() {
            let failure = SimulatedKernel.underSeeds(100) { task in
                let shared = Shared()
                SimulatedKernel.handler = { _, _ in
                    shared.tokens.wrappingAdd(1, ordering: .sequentiallyConsistent)
                    shared.queue.wakeOne()
                }
                for _ in 0..<3 {
                    SimulatedKernel.start { task in
                        for _ in 0..<4 {
                            shared.queue.waitUninterruptibly(task, exclusive: true) { shared.takeToken() }
                        }
                        shared.stop.add()
                    }
                }
                let cpus = UInt64(SimulatedCPU.current.machine.cpus.count)
                for _ in 0..<12 {
                    let before = shared.tokens.load(ordering: .relaxed) + shared.taken.value
                    _ = before
                    SimulatedKernel.interrupt(Int(SimulatedKernel.random(cpus)), vector: 64)
                    // One vector is pending once, however often it is raised: let it be taken.
                    SimulatedKernel.compute(20_000)
                    Scheduler.yield(task)
                }
                var rounds = 0
                while shared.stop.value < 3 {
                    // Interrupts that fell together have made fewer tokens.
                    shared.tokens.wrappingAdd(1, ordering: .sequentiallyConsistent)
                    shared.queue.wakeOne()
                    SimulatedKernel.compute(5000)
                    Scheduler.yield(task)
                    rounds += 1
                    SimulatedKernel.check(rounds < 200, "waiters that no token wakes")
                }
            }
            #expect(failure == nil)
        }

        @Test func onlyDeadlySignalsEndKillableSleep() {
            let failure = SimulatedKernel.underSeeds(50) { task in
                let shared = Shared()
                let thread = SimulatedKernel.start { task in
                    do throws(Errno) {
                        try shared.queue.wait(task, interruptible: false, killable: true) { false }
                    } catch { shared.stop.add() }
                }
                SimulatedKernel.compute(5000)
                thread.notifySignal()
                SimulatedKernel.compute(50_000)
                Scheduler.yield(task)
                SimulatedKernel.check(shared.stop.value == 0, "an ordinary signal ended killable sleep")
                thread.notifySignal(fatal: true)
                while thread.exists { Scheduler.yield(task) }
                SimulatedKernel.check(shared.stop.value == 1)
            }
            #expect(failure == nil)
        }

        @Test func aPollerSleepsOnManyQueues() {
            let failure = SimulatedKernel.underSeeds(150) { task in
                let queues = (0..<4).map { _ in Shared() }
                let stop = Counter()
                SimulatedKernel.start { task in
                    let table = PollTable()
                    for shared in queues { table.register(shared.queue, of: shared) }
                    var got = 0
                    while got < 12 {
                        for shared in queues { while shared.takeToken() { got += 1 } }
                        if got < 12 {
                            do throws(Errno) { try table.sleep(task) } catch { SimulatedKernel.check(false) }
                        }
                    }
                    stop.add()
                }
                SimulatedKernel.threads(3, task) { index, task in
                    for turn in 0..<4 {
                        let shared = queues[(index + turn) % 4]
                        shared.tokens.wrappingAdd(1, ordering: .sequentiallyConsistent)
                        Spin.interleave()
                        shared.queue.wakeAll()
                        SimulatedKernel.compute(SimulatedKernel.random(3000))
                    }
                }
                while stop.value == 0 { Scheduler.yield(task) }
            }
            #expect(failure == nil)
        }
    }
}
