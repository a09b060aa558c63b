// Who runs where, and for how long.

import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

extension SimulatedMachineTests {
    @Suite struct SchedulerTests {
        /// Threads that compute side by side on one CPU get it in proportion to their weights.
        @Test(arguments: [(0, 0), (0, 5), (-5, 0), (10, 15)])
        func sharesFollowNiceValues(nices: (Int, Int)) {
            let failure = SimulatedKernel.underSeeds(3, cpus: [1]) { task in
                let stop = Counter()
                let threads = [nices.0, nices.1].map { nice in
                    let thread = try! Thread.create(name: "hog") { _ in
                        SimulatedKernel.hog { stop.value != 0 }
                    }
                    thread.setNice(nice)
                    return thread
                }
                Thread.current.setNice(-20)
                for thread in threads { thread.start() }
                // The parent sleeps so that the two have the CPU for themselves.
                let end = CycleClock.now + 400_000_000
                SimulatedKernel.sleep(until: end, task)
                let times = threads.map { Double($0.runtime) }
                stop.add()
                let weights = [nices.0, nices.1].map { Double(Weight(nice: $0).value) }
                let wanted = weights[0] / weights[1]
                let got = times[0] / times[1]
                SimulatedKernel.check(
                    abs(got / wanted - 1) < 0.1, "ratio \(got), expected \(wanted): \(times)")
                while threads.contains(where: { $0.exists }) { Scheduler.yield(task) }
            }
            #expect(failure == nil)
        }

        /// Four hogs on four CPUs: each has one for itself, wherever they were started.
        @Test func idleCPUsTakeTheirShare() {
            let failure = SimulatedKernel.underSeeds(30, cpus: [4]) { task in
                let stop = Counter()
                let threads = (0..<4).map { _ in
                    SimulatedKernel.start { _ in SimulatedKernel.hog { stop.value != 0 } }
                }
                SimulatedKernel.sleep(until: CycleClock.now + 60_000_000, task)
                let before = threads.map(\.runtime)
                SimulatedKernel.sleep(until: CycleClock.now + 20_000_000, task)
                let after = threads.map(\.runtime)
                stop.add()
                for (index, thread) in threads.enumerated() {
                    let ran = after[index] - before[index]
                    SimulatedKernel.check(ran > 15_000_000, "thread \(thread.identifier) ran \(ran) of 20 ms")
                }
                while threads.contains(where: { $0.exists }) { Scheduler.yield(task) }
            }
            #expect(failure == nil)
        }

        /// A thread never runs where its affinity does not let it, however often that changes.
        @Test func affinityIsKept() {
            let failure = SimulatedKernel.underSeeds(60, cpus: [4]) { task in
                let stop = Counter()
                for _ in 0..<3 {
                    SimulatedKernel.start { task in
                        for turn in 0..<15 {
                            let cpu = Int(SimulatedKernel.random(4))
                            do throws(Errno) {
                                try Thread.current.setAffinity(CPUMask(cpu), task)
                            } catch { SimulatedKernel.check(false, "\(error)") }
                            SimulatedKernel.check(CPU.index == cpu, "on \(CPU.index), wants \(cpu)")
                            if turn % 3 == 0 { Scheduler.yield(task) }
                            SimulatedKernel.compute(500)
                            SimulatedKernel.check(CPU.index == cpu, "moved to \(CPU.index) from \(cpu)")
                        }
                        stop.add()
                    }
                }
                while stop.value < 3 { Scheduler.yield(task) }
            }
            #expect(failure == nil)
        }

        /// The same from outside: once `bind` has had its effect, the thread is where it belongs, for good.
        @Test func othersCanBindAThread() {
            let failure = SimulatedKernel.underSeeds(60, cpus: [2, 4]) { task in
                let stop = Counter()
                let queue = SharedQueue()
                let thread = SimulatedKernel.start { task in
                    while stop.value == 0 {
                        if SimulatedKernel.random(2) == 0 {
                            SimulatedKernel.compute(300)
                        } else {
                            queue.queue.waitUninterruptibly(task) { SimulatedKernel.random(2) == 0 }
                        }
                    }
                }
                let cpus = UInt64(SimulatedCPU.current.machine.cpus.count)
                for _ in 0..<20 {
                    let target = Int(SimulatedKernel.random(cpus))
                    thread.bind(to: CPUMask(target))
                    var rounds = 0
                    // Asleep, it is nowhere; awake, it must come to its CPU and stay there.
                    while thread.isRunning || thread.state == .running, thread.cpu != target {
                        queue.queue.wakeAll()
                        SimulatedKernel.compute(2000)
                        rounds += 1
                        SimulatedKernel.check(rounds < 500, "still on \(thread.cpu), not \(target)")
                    }
                    queue.queue.wakeAll()
                    SimulatedKernel.compute(1000)
                    if thread.isRunning { SimulatedKernel.check(thread.cpu == target, "on the wrong CPU") }
                }
                stop.add()
                thread.bind(to: .all)
                while thread.exists {
                    queue.queue.wakeAll()
                    Scheduler.yield(task)
                }
            }
            #expect(failure == nil)
        }

        private final class SharedQueue: Sendable {
            let queue = WaitQueue()
        }

        /// However many threads are woken for a CPU before it looks: one interrupt tells it.
        @Test func oneInterruptForManyWakeUps() {
            let failure = SimulatedKernel.underSeeds(30, cpus: [2]) { task in
                Thread.current.bind(to: CPUMask(0))
                while CPU.index != 0 { Scheduler.yield(task) }
                let isDeaf = Counter()
                let mayHear = Counter()
                let ran = Counter()
                let deaf = SimulatedKernel.start { task in
                    Thread.current.bind(to: CPUMask(1))
                    while CPU.index != 1 { Scheduler.yield(task) }
                    withInterruptsOff { _ in
                        isDeaf.add()
                        while mayHear.value == 0 { Spin.pause() }
                    }
                }
                while isDeaf.value == 0 { Scheduler.yield(task) }
                let machine = SimulatedCPU.current.machine
                let before = machine.sentIPIs
                let woken = (0..<5).map { index in
                    let thread = try! Thread.create(name: "woken") { _ in ran.add() }
                    thread.bind(to: CPUMask(1))
                    thread.setScheduling(.fifo, priority: 10 + index)
                    thread.start()
                    return thread
                }
                // None at all where one from before has not been taken yet.
                SimulatedKernel.check(
                    machine.sentIPIs - before <= 1, "\(machine.sentIPIs - before) interrupts")
                mayHear.add()
                while ran.value < 5 || deaf.exists || woken.contains(where: { $0.exists }) {
                    SimulatedKernel.sleep(until: CycleClock.now + 100_000, task)
                }
            }
            #expect(failure == nil)
        }

        @Test func affinityToNoCPUIsRefused() {
            let failure = SimulatedKernel.run(cpus: 2, seed: 0) { task in
                for mask in [CPUMask(), CPUMask(2), CPUMask(200)] {
                    do throws(Errno) {
                        try Thread.current.setAffinity(mask, task)
                        SimulatedKernel.check(false, "accepted")
                    } catch { SimulatedKernel.check(error == .invalid) }
                }
            }
            #expect(failure == nil)
        }

        /// A thread that sleeps most of the time runs soon after it is woken, though hogs want its CPU.
        @Test func sleepersAreServedSoon() {
            let failure = SimulatedKernel.underSeeds(10, cpus: [1]) { task in
                let stop = Counter()
                let hogs = (0..<3).map { _ in
                    SimulatedKernel.start { _ in SimulatedKernel.hog { stop.value != 0 } }
                }
                var worst: UInt64 = 0
                for _ in 0..<20 {
                    let wanted = CycleClock.now + 10_000_000
                    SimulatedKernel.sleep(until: wanted, task)
                    worst = max(worst, CycleClock.now - wanted)
                }
                stop.add()
                SimulatedKernel.check(worst < 4_000_000, "woken \(worst) ns late")
                while hogs.contains(where: { $0.exists }) { Scheduler.yield(task) }
            }
            #expect(failure == nil)
        }

        @Test func weights() {
            #expect(Weight(nice: 0).value == 1024)
            #expect(Weight(nice: 19).value == 15)
            for nice in -20..<19 {
                let ratio = Double(Weight(nice: nice).value) / Double(Weight(nice: nice + 1).value)
                #expect(abs(ratio - 1.25) < 0.06, "nice \(nice)")
            }
            #expect(Weight(nice: 100) == Weight(nice: 19))
            #expect(Weight(nice: -100) == Weight(nice: -20))
        }
    }
}
