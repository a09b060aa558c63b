// Threads on the simulated machine, under many seeds.

import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

/// Runs `body` on simulated machines of 1, 2 and 4 CPUs, `count` seeds each.
func underSeeds(
    _ count: UInt64, _ body: @escaping (borrowing TaskContext) -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    for cpus in [1, 2, 4] {
        for seed in 0..<count {
            let failure = SimulatedKernel.run(cpus: cpus, seed: seed, body)
            if let failure {
                Issue.record("\(failure)", sourceLocation: sourceLocation)
                return
            }
        }
    }
}

@Suite(.serialized) struct ThreadTests {
    @Test func aThreadRunsAndEnds() {
        let failure = SimulatedKernel.run(cpus: 1, seed: 1) { task in
            let done = Box()
            let thread = try! Thread.create(name: "t") { _ in
                done.count.wrappingAdd(1, ordering: .relaxed)
                done.completion.complete()
            }
            thread.start()
            done.completion.wait(task)
            #expect(done.count.load(ordering: .relaxed) == 1)
        }
        #expect(failure == nil)
    }

    @Test func wakeUpsAreNotLost() {
        underSeeds(100) { task in
            let box = Box()
            for index in 0..<2 {
                try! Thread.create(name: "p") { task in
                    for turn in 0..<20 {
                        box.queue.waitUninterruptibly(task) {
                            box.count.load(ordering: .sequentiallyConsistent) == turn * 2 + index
                        }
                        box.count.wrappingAdd(1, ordering: .sequentiallyConsistent)
                        box.queue.wakeAll()
                    }
                    box.completion.complete()
                }.start()
            }
            box.completion.wait(task)
            box.completion.wait(task)
            #expect(box.count.load(ordering: .relaxed) == 40)
        }
    }
}

/// What the threads of a test share.
final class Box: Sendable {
    let count = Atomic<Int>(0)
    let completion = Completion()
    let queue = WaitQueue()
}
