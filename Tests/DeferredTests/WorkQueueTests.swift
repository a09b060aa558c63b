// The rules of work queues, on simulated machines under many seeds.

import Deferred
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing
import Time

private typealias Kernel = SimulatedKernel

@Suite(.serialized) struct WorkQueueTests {
    @Test func everyQueueingRunsOnceAndNeverTwoAtOnce() {
        let failure = Kernel.underSeeds(300) { task in
            let queue = try! WorkQueue("test")
            let noted = NotedWork { noted, task in
                for _ in 0..<6 { Spin.interleave() }
                // Asleep, it lets another worker of the CPU look at the list.
                if noted.ran % 3 == 0 { Thread.sleep(for: 2000, task) }
            }
            SimulatedKernel.threads(4, bound: true, task) { _, _ in
                for _ in 0..<15 {
                    noted.queue(on: queue)
                    Spin.interleave()
                }
            }
            queue.flush(task)
            Kernel.check(noted.ran == noted.queued, "queued \(noted.queued) times, ran \(noted.ran) times")
            Kernel.check(noted.overlaps.load(ordering: .relaxed) == 0, "ran twice at once")
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func aBoundWorkRunsOnTheCPUItWasQueuedFor() {
        let failure = Kernel.underSeeds(120, cpus: [2, 4]) { task in
            let queue = try! WorkQueue("test")
            for cpu in SimulatedCPU.current.machine.cpus.indices {
                let noted = NotedWork()
                noted.queue(on: queue, cpu: cpu)
                noted.with { _ = $0.flush(task) }
                Kernel.check(noted.lastCPU.load(ordering: .relaxed) == cpu, "ran elsewhere")
            }
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func aWorkThatSleepsHoldsUpNobody() {
        let failure = Kernel.underSeeds(300) { task in
            let queue = try! WorkQueue("test")
            // The second time there are idle workers already, which somebody must wake.
            for _ in 0..<3 {
                let shared = Shared()
                let blocked = NotedWork { _, task in
                    shared.queue.waitUninterruptibly(task) { shared.flag.load(ordering: .acquiring) }
                }
                let others = (0..<5).map { _ in NotedWork() }
                withPreemptionOff { _ in
                    blocked.queue(on: queue, cpu: 0)
                    for other in others { other.queue(on: queue, cpu: 0) }
                }
                for other in others { other.with { _ = $0.flush(task) } }
                for other in others { Kernel.check(other.ran == 1, "held up") }
                shared.flag.store(true, ordering: .releasing)
                shared.queue.wakeAll()
                queue.flush(task)
                Kernel.check(blocked.ran == 1, "the blocked work did not run")
            }
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func worksThatComputeRunOneAfterTheOther() {
        let failure = Kernel.underSeeds(300, cpus: [1, 2]) { task in
            let inside = Shared()
            let queue = try! WorkQueue("test")
            let works = (0..<6).map { _ in
                NotedWork { _, _ in
                    let others = inside.count.wrappingAdd(1, ordering: .relaxed).oldValue
                    Kernel.check(others == 0, "two works that do not sleep run at once on a CPU")
                    for _ in 0..<10 { Spin.interleave() }
                    inside.count.wrappingSubtract(1, ordering: .relaxed)
                }
            }
            for work in works { work.queue(on: queue, cpu: 0) }
            queue.flush(task)
            for work in works { Kernel.check(work.ran == 1, "not run once") }
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func anOrderedQueueKeepsOrder() {
        let failure = Kernel.underSeeds(300) { task in
            let queue = try! WorkQueue("test", .ordered)
            let shared = Shared()
            let works = (0..<12).map { number in
                NotedWork { _, task in
                    let turn = shared.count.wrappingAdd(1, ordering: .relaxed).oldValue
                    Kernel.check(turn == number, "work \(number) began as number \(turn)")
                    if number % 3 == 0 { Scheduler.yield(task) }
                }
            }
            for work in works { work.queue(on: queue) }
            queue.flush(task)
            Kernel.check(shared.count.load(ordering: .relaxed) == 12, "not all ran")
            for work in works { Kernel.check(work.overlaps.load(ordering: .relaxed) == 0, "overlap") }
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func noMoreThanMaxActiveAreInHand() {
        let failure = Kernel.underSeeds(120) { task in
            let queue = try! WorkQueue("test", .unbound, maxActive: 2)
            let inside = Shared()
            let works = (0..<8).map { _ in
                NotedWork { _, task in
                    let others = inside.count.wrappingAdd(1, ordering: .relaxed).oldValue
                    Kernel.check(others < 2, "more than two at once")
                    Scheduler.yield(task)
                    inside.count.wrappingSubtract(1, ordering: .relaxed)
                }
            }
            for work in works { work.queue(on: queue) }
            queue.flush(task)
            for work in works { Kernel.check(work.ran == 1, "not run once") }
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func flushWaitsForWhatWasQueuedBefore() {
        let failure = Kernel.underSeeds(300) { task in
            let queue = try! WorkQueue("test")
            SimulatedKernel.threads(3, bound: true, task) { index, task in
                for _ in 0..<4 {
                    let works = (0..<3).map { _ in NotedWork { _, task in Scheduler.yield(task) } }
                    for work in works { work.queue(on: queue) }
                    queue.flush(task)
                    for work in works {
                        Kernel.check(
                            work.ran == 1 && work.inside.load(ordering: .relaxed) == 0, "not waited for")
                    }
                }
            }
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func aFlushedWorkHasRun() {
        let failure = Kernel.underSeeds(300) { task in
            let queue = try! WorkQueue("test")
            let noted = NotedWork { _, task in Scheduler.yield(task) }
            SimulatedKernel.threads(3, bound: true, task) { index, task in
                for _ in 0..<6 {
                    let before = noted.ran
                    let isMine = noted.queue(on: queue)
                    noted.with { _ = $0.flush(task) }
                    if isMine { Kernel.check(noted.ran > before, "flushed, but it has not run") }
                }
            }
            queue.flush(task)
            Kernel.check(noted.ran == noted.queued, "lost or doubled")
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func aWorkThatRequeuesItselfIsCancelled() {
        let failure = Kernel.underSeeds(300) { task in
            let queue = try! WorkQueue("test")
            let noted = NotedWork { noted, _ in
                for _ in 0..<8 { Spin.interleave() }
                noted.queue(on: queue)
                for _ in 0..<8 { Spin.interleave() }
            }
            Thread.current.bind(to: CPUMask(0))
            noted.queue(on: queue, cpu: SimulatedCPU.current.machine.cpus.count - 1)
            for _ in 0..<60 { Spin.interleave() }
            let wasWaiting = noted.with { $0.cancelSync(task) }
            let runs = noted.ran
            Kernel.check(noted.inside.load(ordering: .relaxed) == 0, "still running")
            Kernel.check(runs == noted.queued - (wasWaiting ? 1 : 0), "lost or doubled")
            for _ in 0..<50 { Spin.interleave() }
            Kernel.check(noted.ran == runs, "ran after it was cancelled")
            Kernel.check(noted.queue(on: queue), "cannot be queued any more")
            noted.with { _ = $0.cancelSync(task) }
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func cancellersAndQueuersMeet() {
        let failure = Kernel.underSeeds(300) { task in
            let queue = try! WorkQueue("test", maxActive: 1)
            let cancelled = Shared()
            let noted = NotedWork { _, task in Scheduler.yield(task) }
            let others = (0..<3).map { _ in NotedWork() }
            SimulatedKernel.threads(4, bound: true, task) { index, task in
                for _ in 0..<8 {
                    if index % 2 == 0 {
                        noted.queue(on: queue)
                        others[index % 3].queue(on: queue)
                    } else {
                        let wasWaiting = noted.with { index == 1 ? $0.cancelSync(task) : $0.cancel() }
                        if wasWaiting { cancelled.count.wrappingAdd(1, ordering: .relaxed) }
                    }
                    Spin.interleave()
                }
            }
            queue.flush(task)
            let out = noted.ran + cancelled.count.load(ordering: .relaxed)
            Kernel.check(noted.queued == out, "\(noted.queued) in, \(out) out")
            for other in others { Kernel.check(other.ran == other.queued, "another work lost or doubled") }
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func aWorkMayFreeItself() {
        let failure = Kernel.underSeeds(300) { task in
            let queue = try! WorkQueue("test")
            let shared = Shared()
            for _ in 0..<20 {
                let own = OwnWork(shared)
                own.queue(on: queue)
            }
            queue.flush(task)
            Kernel.check(shared.count.load(ordering: .relaxed) == 20, "not all ran")
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func topHalvesQueueWorks() {
        let failure = Kernel.underSeeds(300) { task in
            let noted = NotedWork()
            let queue = try! WorkQueue("test")
            SimulatedKernel.handler = { _, _ in noted.queue(on: queue) }
            SimulatedKernel.threads(2, bound: true, task) { index, task in
                for _ in 0..<20 {
                    SimulatedKernel.interrupt(CPU.index)
                    Spin.interleave()
                }
            }
            SimulatedKernel.handler = nil
            queue.flush(task)
            Kernel.check(
                noted.ran == noted.queued && noted.ran > 0, "\(noted.queued) in, \(noted.ran) out")
            queue.destroy(task)
        }
        #expect(failure == nil)
    }
}

/// Owns itself until its work has run.
@safe private final class OwnWork: @unchecked Sendable {
    private let work: UnsafeMutablePointer<Work>
    private let shared: Shared

    init(_ shared: Shared) {
        self.shared = shared
        unsafe work = .allocate(capacity: 1)
        let word = unsafe UInt(bitPattern: Unmanaged.passRetained(self).toOpaque())
        unsafe work.initialize(
            to: Work("own", word: word) { _, word in
                // Taken back from the `passRetained` above.
                let own = unsafe Unmanaged<OwnWork>.fromOpaque(UnsafeRawPointer(bitPattern: word)!)
                    .takeRetainedValue()
                own.shared.count.wrappingAdd(1, ordering: .relaxed)
            })
    }

    deinit {
        // What still uses it would see this.
        unsafe UnsafeMutableRawPointer(work).initializeMemory(as: UInt8.self, repeating: 0xa5, count: 64)
        unsafe work.deallocate()
    }

    func queue(on queue: WorkQueue) { _ = queue.queue(unsafe work.pointee) }
}
