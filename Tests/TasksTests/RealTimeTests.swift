// Real-time threads, batch and idle ones: who runs, where, for how long.

import Machine
import Primitives
import SimulatedKernel
import Synchronization
@testable import Tasks
import Testing

extension SimulatedMachineTests {
    @Suite struct RealTimeTests {
        /// Threads that compute, each counting its steps.
        private final class Hogs: @unchecked Sendable {
            // Simulated CPUs take turns, so a plain array will do.
            private(set) var steps: [Int]
            var threads: [Tasks.Thread] = []
            let stop = Counter()

            init(_ count: Int, _ scheduling: (Int) -> (SchedulingClass, Int)) {
                steps = [Int](repeating: 0, count: count)
                for index in 0..<count {
                    let thread = try! Thread.create(name: "hog") { [self] _ in
                        while stop.value == 0 {
                            steps[index] += 1
                            SimulatedCPU.current.machine.work(2000)
                        }
                    }
                    let (schedulingClass, priority) = scheduling(index)
                    thread.setScheduling(schedulingClass, priority: priority)
                    threads.append(thread)
                }
            }

            func start() { for thread in threads { thread.start() } }

            /// How many steps each made while the caller slept.
            func steps(in nanoseconds: UInt64, _ task: borrowing TaskContext) -> [Int] {
                let before = steps
                SimulatedKernel.sleep(until: CycleClock.now + nanoseconds, task)
                return zip(steps, before).map { $0 - $1 }
            }

            func end(_ task: borrowing TaskContext) {
                stop.add()
                while threads.contains(where: { $0.exists }) {
                    SimulatedKernel.sleep(until: CycleClock.now + 100_000, task)
                }
            }
        }

        /// Whatever priorities change and wherever threads are put: those with the highest run, one on each CPU, and no other.
        @Test(arguments: [2, 4]) func highestPrioritiesRun(cpus: Int) {
            let failure = SimulatedKernel.underSeeds(100, cpus: [cpus]) { task in
                Scheduler.setRealTimeShare(period: 1_000_000_000, runtime: nil)
                Thread.current.setScheduling(.fifo, priority: 99)
                let count = cpus + 3
                var priorities = Array(1...count)
                let hogs = Hogs(count) { (.fifo, priorities[$0]) }
                hogs.start()
                // Each CPU gets its turns, under whatever seed, within 4 ms.
                for _ in 0..<6 {
                    SimulatedKernel.sleep(until: CycleClock.now + 4_000_000, task)
                    let steps = hogs.steps(in: 4_000_000, task)
                    for index in 0..<count {
                        let isAmongHighest = priorities[index] > count - cpus
                        SimulatedKernel.check(
                            (steps[index] > 0) == isAmongHighest,
                            "priorities \(priorities), steps \(steps)")
                    }
                    for _ in 0..<3 {
                        let a = Int(SimulatedKernel.random(UInt64(count)))
                        let b = Int(SimulatedKernel.random(UInt64(count)))
                        priorities.swapAt(a, b)
                        hogs.threads[a].setScheduling(.fifo, priority: priorities[a])
                        hogs.threads[b].setScheduling(.fifo, priority: priorities[b])
                    }
                }
                hogs.end(task)
            }
            #expect(failure == nil)
        }

        /// The same where threads sleep and are woken by interrupts on any CPU all the time.
        @Test(arguments: [2, 4]) func highestPrioritiesRunAmongSleepers(cpus: Int) {
            let failure = SimulatedKernel.underSeeds(60, cpus: [cpus]) { task in
                Scheduler.setRealTimeShare(period: 1_000_000_000, runtime: nil)
                Thread.current.setScheduling(.fifo, priority: 99)
                // Two hogs more than CPUs, below them; sleepers above.
                let hogs = Hogs(cpus + 2) { (.fifo, 10 + $0) }
                hogs.start()
                let over = Counter()
                let sleepers = (0..<cpus).map { index in
                    let thread = try! Thread.create(name: "sleeper") { task in
                        while over.value == 0 {
                            SimulatedKernel.sleep(
                                until: CycleClock.now + 80_000 + SimulatedKernel.random(400_000), task)
                            SimulatedKernel.compute(SimulatedKernel.random(5000))
                        }
                    }
                    thread.setScheduling(index % 2 == 0 ? .fifo : .roundRobin, priority: 50 + index)
                    thread.start()
                    return thread
                }
                SimulatedKernel.sleep(until: CycleClock.now + 500_000, task)
                let steps = hogs.steps(in: 8_000_000, task)
                for index in 2..<cpus + 2 {
                    SimulatedKernel.check(steps[index] > 0, "hog \(index) starves: \(steps)")
                }
                over.add()
                while sleepers.contains(where: { $0.exists }) {
                    SimulatedKernel.sleep(until: CycleClock.now + 100_000, task)
                }
                // Now the hogs are alone again.
                SimulatedKernel.sleep(until: CycleClock.now + 4_000_000, task)
                let alone = hogs.steps(in: 4_000_000, task)
                for index in 0..<cpus + 2 {
                    SimulatedKernel.check((alone[index] > 0) == (index >= 2), "steps \(alone)")
                }
                hogs.end(task)
            }
            #expect(failure == nil)
        }

        /// Policies and nice values that others change while a thread sleeps, wakes, runs and moves: the books balance.
        @Test func changesFromOutsideKeepTheBooks() {
            let failure = SimulatedKernel.underSeeds(60, cpus: [1, 2, 4]) { task in
                Thread.current.setScheduling(.fifo, priority: 99)
                let over = Counter()
                let threads = (0..<4).map { _ in
                    SimulatedKernel.start { task in
                        while over.value == 0 {
                            SimulatedKernel.compute(SimulatedKernel.random(2000))
                            SimulatedKernel.sleep(
                                until: CycleClock.now + SimulatedKernel.random(3000), task)
                        }
                    }
                }
                for _ in 0..<100 {
                    let thread = threads[Int(SimulatedKernel.random(4))]
                    let classes: [SchedulingClass] = [.normal, .fifo, .roundRobin, .batch, .idle]
                    switch SimulatedKernel.random(3) {
                    case 0: thread.setNice(Int(SimulatedKernel.random(40)) - 20)
                    case 1: thread.bind(to: SimulatedKernel.random(2) == 0 ? .all : CPUMask(0))
                    default:
                        thread.setScheduling(
                            classes[Int(SimulatedKernel.random(5))],
                            priority: Int(SimulatedKernel.random(98)) + 1)
                    }
                    if SimulatedKernel.random(3) == 0 {
                        SimulatedKernel.sleep(until: CycleClock.now + SimulatedKernel.random(4000), task)
                    }
                }
                over.add()
                while threads.contains(where: { $0.exists }) {
                    SimulatedKernel.sleep(until: CycleClock.now + 100_000, task)
                }
                let state = unsafe TaskState.current
                for cpu in 0..<CPUs.count {
                    let isBalanced = unsafe state.pointee.queues.withRemote(cpu) { queue in
                        unsafe queue.threads.withLockInterruptsOff { threads, _ in
                            unsafe threads.realTime.isEmpty && threads.tree.isEmpty
                                && threads.totalWeight == 0
                        }
                    }
                    SimulatedKernel.check(isBalanced, "the queue of CPU \(cpu) is not empty")
                }
                let waiting = unsafe state.pointee.realTimeWaiting.load(ordering: .relaxed)
                SimulatedKernel.check(waiting == 0, "\(waiting) CPUs have waiting threads")
            }
            #expect(failure == nil)
        }

        /// Of one priority, SCHED_FIFO threads run one after the other, in the order they became runnable.
        @Test func firstInFirstOut() {
            let failure = SimulatedKernel.underSeeds(20, cpus: [1]) { task in
                Thread.current.setScheduling(.fifo, priority: 99)
                let order = Numbers()
                let threads = (0..<4).map { index in
                    let thread = try! Thread.create(name: "fifo") { _ in
                        // Longer than the main thread sleeps: it takes the CPU away, and gives it back to the same.
                        SimulatedKernel.compute(250_000)
                        order.all.append(index)
                    }
                    thread.setScheduling(.fifo, priority: 20)
                    thread.start()
                    return thread
                }
                while threads.contains(where: { $0.exists }) {
                    SimulatedKernel.sleep(until: CycleClock.now + 100_000, task)
                }
                SimulatedKernel.check(order.all == [0, 1, 2, 3], "\(order.all)")
            }
            #expect(failure == nil)
        }

        /// `yield` lets others of the same priority go on, and none of a lower one.
        @Test func yieldGoesBehindEquals() {
            let failure = SimulatedKernel.underSeeds(20, cpus: [1]) { task in
                Thread.current.setScheduling(.fifo, priority: 99)
                let order = Numbers()
                let threads = (0..<3).map { index in
                    let thread = try! Thread.create(name: "fifo") { task in
                        for _ in 0..<3 {
                            order.all.append(index)
                            Scheduler.yield(task)
                        }
                    }
                    thread.setScheduling(.fifo, priority: index == 2 ? 10 : 20)
                    thread.start()
                    return thread
                }
                while threads.contains(where: { $0.exists }) {
                    SimulatedKernel.sleep(until: CycleClock.now + 100_000, task)
                }
                SimulatedKernel.check(order.all == [0, 1, 0, 1, 0, 1, 2, 2, 2], "\(order.all)")
            }
            #expect(failure == nil)
        }

        /// Round-robin threads take turns; a FIFO thread of the same priority that has the CPU keeps it.
        @Test func roundRobinTakesTurns() {
            let failure = SimulatedKernel.underSeeds(10, cpus: [1]) { task in
                Scheduler.setRealTimeShare(period: 1_000_000_000, runtime: nil)
                Scheduler.roundRobinTurn = 1_000_000
                Thread.current.setScheduling(.fifo, priority: 99)
                let hogs = Hogs(3) { _ in (.roundRobin, 20) }
                hogs.start()
                let steps = hogs.steps(in: 12_000_000, task)
                SimulatedKernel.check(steps.allSatisfy { $0 > 1200 }, "turns: \(steps)")
                let first = hogs.threads[0]
                first.setScheduling(.fifo, priority: 20)
                SimulatedKernel.sleep(until: CycleClock.now + 4_000_000, task)
                let later = hogs.steps(in: 4_000_000, task)
                SimulatedKernel.check(later[0] > 0 && later[1] == 0 && later[2] == 0, "keeps: \(later)")
                hogs.end(task)
            }
            #expect(failure == nil)
        }

        /// Real-time threads that never sleep leave others their share of each period, and have the rest.
        @Test(arguments: [1, 2]) func shareOfRealTimeThreads(cpus: Int) {
            let failure = SimulatedKernel.underSeeds(5, cpus: [cpus]) { task in
                Scheduler.setRealTimeShare(period: 10_000_000, runtime: 8_000_000)
                Thread.current.setScheduling(.fifo, priority: 99)
                let hogs = Hogs(2 * cpus) { $0 < cpus ? (.fifo, 20) : (.normal, 0) }
                hogs.start()
                let steps = hogs.steps(in: 100_000_000, task)
                let sum = steps.reduce(0, +)
                let realTime = steps[0..<cpus].reduce(0, +)
                let share = Double(realTime) / Double(sum)
                SimulatedKernel.check(share > 0.75 && share < 0.83, "share \(share): \(steps)")
                hogs.end(task)
            }
            #expect(failure == nil)
        }

        /// What was used of one period does not count as the next one's, wherever in a period a thread begins.
        @Test func shareOfAThreadThatBeginsWithinAPeriod() {
            let failure = SimulatedKernel.underSeeds(10, cpus: [1]) { task in
                let period: UInt64 = 10_000_000
                Scheduler.setRealTimeShare(period: period, runtime: 9_000_000)
                Thread.current.setScheduling(.fifo, priority: 99)
                let next = (CycleClock.now / period + 1) * period
                SimulatedKernel.sleep(until: next + period / 2, task)
                let hogs = Hogs(2) { $0 == 0 ? (.fifo, 20) : (.normal, 0) }
                hogs.start()
                let steps = hogs.steps(in: 5 * period / 2, task)
                SimulatedKernel.check(steps[1] > 0, "the other never ran: \(steps)")
                hogs.end(task)
            }
            #expect(failure == nil)
        }

        /// Nobody else wants the CPU: nothing is taken from the real-time thread.
        @Test func aloneWithoutLimit() {
            let failure = SimulatedKernel.underSeeds(5, cpus: [1]) { task in
                Scheduler.setRealTimeShare(period: 10_000_000, runtime: 1_000_000)
                Thread.current.setScheduling(.fifo, priority: 99)
                let hogs = Hogs(1) { _ in (.fifo, 20) }
                hogs.start()
                let steps = hogs.steps(in: 50_000_000, task)
                SimulatedKernel.check(steps[0] > 12_000, "\(steps[0]) steps")
                hogs.end(task)
            }
            #expect(failure == nil)
        }

        /// An idle-class thread gets next to nothing beside a normal one, a batch thread its share.
        @Test func idleAndBatch() {
            let failure = SimulatedKernel.underSeeds(5, cpus: [1]) { task in
                Thread.current.setScheduling(.fifo, priority: 99)
                let classes: [SchedulingClass] = [.normal, .batch, .idle]
                let hogs = Hogs(3) { (classes[$0], 0) }
                hogs.start()
                let steps = hogs.steps(in: 200_000_000, task)
                SimulatedKernel.check(abs(Double(steps[0]) / Double(steps[1]) - 1) < 0.1, "\(steps)")
                SimulatedKernel.check(steps[2] < steps[0] / 50, "idle: \(steps)")
                hogs.end(task)
            }
            #expect(failure == nil)
        }

        /// A normal thread that wakes takes the CPU from an idle-class one at once.
        @Test func idleClassMakesRoomAtOnce() {
            let failure = SimulatedKernel.underSeeds(10, cpus: [1]) { task in
                let hogs = Hogs(1) { _ in (.idle, 0) }
                hogs.start()
                for _ in 0..<10 {
                    let wanted = CycleClock.now + 2_000_000
                    SimulatedKernel.sleep(until: wanted, task)
                    let late = CycleClock.now - wanted
                    SimulatedKernel.check(late < 200_000, "\(late) ns late")
                }
                hogs.end(task)
            }
            #expect(failure == nil)
        }

        private final class Numbers: @unchecked Sendable {
            var all: [Int] = []
        }
    }
}
