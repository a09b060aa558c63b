// Threads, waiting and preemption on the real machine, on as many CPUs as there are.

import Machine
import Primitives
import Synchronization
import Tasks

/// What the threads of one case share.
private final class Shared: Sendable {
    let counter = Atomic<Int>(0)
    let flag = Atomic<Bool>(false)
    let queue = WaitQueue()
    let mutex = Mutex<Int>(0)
    let seen = Atomic<UInt64>(0)
}

extension TestSuite {
    static let tasks = TestSuite(
        "tasks",
        [
            TestCase("a hundred threads run and end") { task, check in
                let shared = Shared()
                runThreads(100, task, &check) { _, task in
                    shared.counter.wrappingAdd(1, ordering: .relaxed)
                    Scheduler.yield(task)
                }
                check.expect(shared.counter.load(ordering: .relaxed), equals: 100, "threads that ran")
            },
            TestCase("a bound thread runs on its CPU only") { task, check in
                let shared = Shared()
                let cpus = CPUs.onlineCount
                runThreads(cpus * 4, task, &check, on: { $0 % cpus }) { index, task in
                    for _ in 0..<50 {
                        if CPU.index != index % cpus { shared.counter.wrappingAdd(1, ordering: .relaxed) }
                        Scheduler.yield(task)
                    }
                    shared.seen.bitwiseOr(1 << UInt64(index % cpus), ordering: .relaxed)
                }
                check.expect(shared.counter.load(ordering: .relaxed), equals: 0, "turns on a wrong CPU")
                check.expect(
                    shared.seen.load(ordering: .relaxed).nonzeroBitCount, equals: min(cpus, 64), "CPUs used")
            },
            TestCase("mutex: nothing lost between threads") { task, check in
                let shared = Shared()
                runThreads(16, task, &check) { _, task in
                    for round in 0..<500 {
                        shared.mutex.withLock(task) { value in
                            let old = value
                            if round % 100 == 0 { Scheduler.yield(task) }
                            value = old + 1
                        }
                    }
                }
                check.expect(shared.mutex.withLock(task) { $0 }, equals: 8000, "increments")
            },
            TestCase("wait queue: no wake-up is lost in 2,000 turns of ping-pong") { task, check in
                let shared = Shared()
                runThreads(2, task, &check) { index, task in
                    for turn in 0..<1000 {
                        let mine = turn * 2 + index
                        shared.queue.waitUninterruptibly(task) {
                            shared.counter.load(ordering: .acquiring) == mine
                        }
                        shared.counter.store(mine + 1, ordering: .releasing)
                        shared.queue.wakeAll()
                    }
                }
                check.expect(shared.counter.load(ordering: .relaxed), equals: 2000, "turns")
            },
            TestCase("a computing thread is preempted") { task, check in
                let shared = Shared()
                let cpu = CPU.index
                runThreads(2, task, &check, on: { _ in cpu }) { index, _ in
                    if index == 0 {
                        while !shared.flag.load(ordering: .acquiring) { Spin.pause() }
                    } else {
                        shared.flag.store(true, ordering: .releasing)
                    }
                }
                check.expect(shared.flag.load(ordering: .relaxed), "the second thread never ran")
            },
        ])
}
