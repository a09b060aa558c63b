// Calls between CPUs on the real machine.

import CrossCPU
import Machine
import Primitives
import Synchronization
import Tasks

/// Counted by the called CPUs; one case at a time uses them.
private let ran = Atomic<Int>(0)
private let wrongCPU = Atomic<Int>(0)

extension TestSuite {
    static let crossCPU = TestSuite(
        "crosscpu",
        [
            TestCase("a call reaches every other CPU once") { _, check in
                ran.store(0, ordering: .relaxed)
                wrongCPU.store(0, ordering: .relaxed)
                let others = CPUs.onlineCount - 1
                for _ in 0..<200 {
                    withPreemptionOff { off in
                        CrossCPU.call(CPUs.online, wait: true, off, UInt(CPU.index)) { _, caller in
                            if UInt(CPU.index) == caller { wrongCPU.wrappingAdd(1, ordering: .relaxed) }
                            ran.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                }
                check.expect(ran.load(ordering: .relaxed), equals: 200 * others, "calls run")
                check.expect(wrongCPU.load(ordering: .relaxed), equals: 0, "calls run by the caller")
            },
            TestCase("calls from all CPUs at once are all run") { task, check in
                ran.store(0, ordering: .relaxed)
                let cpus = CPUs.onlineCount
                let done = Finished()
                for cpu in 0..<cpus {
                    guard
                        let thread = try? Thread.create(
                            name: ThreadName("caller/", number: cpu),
                            start: { _ in
                                for round in 0..<300 {
                                    withPreemptionOff { off in
                                        CrossCPU.call(CPUs.online, wait: round % 3 == 0, off) { _, _ in
                                            ran.wrappingAdd(1, ordering: .relaxed)
                                        }
                                    }
                                }
                                // The last calls may still be on their way: one that waits comes behind them.
                                withPreemptionOff { off in
                                    CrossCPU.call(CPUs.online, wait: true, off) { _, _ in }
                                }
                                done.completion.complete()
                            })
                    else { return check.expect(false, "no thread") }
                    thread.bind(to: CPUMask(cpu))
                    thread.start()
                }
                for _ in 0..<cpus { done.completion.wait(task) }
                check.expect(ran.load(ordering: .relaxed), equals: 300 * cpus * (cpus - 1), "calls run")
            },
        ])
}

private final class Finished: Sendable {
    let completion = Completion()
}
