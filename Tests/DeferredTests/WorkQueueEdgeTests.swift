// What work queues do when memory fails, when works misbehave, and when they come to their end.

import Deferred
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

private typealias Kernel = SimulatedKernel

/// The machine on which no worker can be made, 0 for none; read by a function without context.
private let barren = Atomic<Int>(0)

private var thisMachine: Int { ObjectIdentifier(SimulatedCPU.current.machine).hashValue }

@Suite(.serialized) struct WorkQueueEdgeTests {
    @Test func aRescuerRunsWhatNoWorkerCan() {
        let failure = Kernel.underSeeds(120) { task in
            let shared = Shared()
            let queue = try! WorkQueue("rescued", .memoryReclaim)
            let plain = try! WorkQueue("plain")
            unsafe DeferredHooks.failsToHire = { @Sendable in barren.load(ordering: .relaxed) == thisMachine }
            barren.store(thisMachine, ordering: .relaxed)
            // These want more workers than there are, until the last one has run.
            let waiting = (0..<3).map { _ in
                NotedWork { _, task in
                    shared.queue.waitUninterruptibly(task) { shared.flag.load(ordering: .acquiring) }
                }
            }
            let last = NotedWork { _, _ in
                shared.flag.store(true, ordering: .releasing)
                shared.queue.wakeAll()
            }
            for work in waiting { work.queue(on: plain, cpu: 0) }
            last.queue(on: queue, cpu: 0)
            last.with { _ = $0.flush(task) }
            Kernel.check(last.ran == 1, "not rescued")
            barren.store(0, ordering: .relaxed)
            plain.flush(task)
            for work in waiting { Kernel.check(work.ran == 1, "a waiting work did not run once") }
            plain.destroy(task)
            queue.destroy(task)
        }
        barren.store(0, ordering: .relaxed)
        #expect(failure == nil)
    }

    @Test func flushingFromInsideIsRefused() {
        let failure = Kernel.underSeeds(20) { task in
            let queue = try! WorkQueue("test")
            let results = Shared()
            let noted = NotedWork { noted, task in
                if !queue.flush(task) { results.count.wrappingAdd(1, ordering: .relaxed) }
                if !queue.drain(task) { results.count.wrappingAdd(1, ordering: .relaxed) }
                if !queue.destroy(task) { results.count.wrappingAdd(1, ordering: .relaxed) }
                if !(noted.with { $0.flush(task) }) { results.count.wrappingAdd(1, ordering: .relaxed) }
            }
            noted.queue(on: queue)
            queue.flush(task)
            Kernel.check(results.count.load(ordering: .relaxed) == 4, "a work waited for itself")
            Kernel.check(noted.queue(on: queue), "the queue is of no use any more")
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func destroyRunsWhatIsPendingAndRefusesTheRest() {
        let failure = Kernel.underSeeds(120) { task in
            let queue = try! WorkQueue("test", maxActive: 1)
            let works = (0..<5).map { _ in NotedWork() }
            for work in works { work.queue(on: queue) }
            queue.destroy(task)
            for work in works { Kernel.check(work.ran == 1, "pending work lost") }
            Kernel.check(!works[0].queue(on: queue), "queued on a queue that was destroyed")
            Kernel.check(works[0].with { !$0.isPending }, "pending for ever")
        }
        #expect(failure == nil)
    }

    @Test func aDrainedQueueTakesWorkOfItsOwnOnly() {
        let failure = Kernel.underSeeds(120) { task in
            let queue = try! WorkQueue("test")
            let chain = Shared()
            let noted = NotedWork { noted, task in
                if chain.count.wrappingAdd(1, ordering: .relaxed).newValue < 5 { noted.queue(on: queue) }
            }
            noted.queue(on: queue)
            queue.drain(task)
            Kernel.check(noted.ran == 5, "the chain was cut: \(noted.ran)")
            queue.destroy(task)
        }
        #expect(failure == nil)
    }

    @Test func aWorkThatLeaksALockIsReportedAndMended() {
        let failure = Kernel.underSeeds(20) { task in
            let queue = try! WorkQueue("test")
            let leaks = NotedWork { _, _ in PreemptCount.add(PreemptCount.preemption) }
            leaks.queue(on: queue)
            queue.flush(task)
            let after = NotedWork { _, task in Scheduler.yield(task) }
            after.queue(on: queue)
            queue.flush(task)
            Kernel.check(after.ran == 1, "the worker did not go on")
            queue.destroy(task)
        }
        #expect(failure == nil)
        #expect(logContains("noted returned with interrupts on and a preemption count of 1"))
    }

    @Test func aStalledPoolIsReportedByName() {
        let failure = Kernel.underSeeds(4, cpus: [2]) { task in
            let shared = Shared()
            let queue = try! WorkQueue("test")
            let hog = NotedWork { _, _ in while !shared.flag.load(ordering: .acquiring) { Spin.pause() } }
            let waiting = NotedWork()
            hog.queue(on: queue, cpu: 1)
            waiting.queue(on: queue, cpu: 1)
            while hog.ran == 0 { Spin.pause() }
            Kernel.check(WorkQueues.watch(now: CycleClock.now) == 0, "reported at once")
            let later = CycleClock.now + WorkQueues.stallLimit
            Kernel.check(WorkQueues.watch(now: later) == 1, "a stall was not seen")
            shared.flag.store(true, ordering: .releasing)
            queue.destroy(task)
        }
        #expect(failure == nil)
        #expect(logContains("workqueue lockup - pool cpus=1 nice=0 stuck for 30s: noted waits, noted runs"))
    }

    @Test func idleWorkersGo() {
        let failure = Kernel.underSeeds(10) { task in
            let shared = Shared()
            let queue = try! WorkQueue("test")
            let works = (0..<6).map { _ in
                NotedWork { _, task in
                    shared.queue.waitUninterruptibly(task) { shared.flag.load(ordering: .acquiring) }
                }
            }
            for work in works { work.queue(on: queue, cpu: 0) }
            while works.contains(where: { $0.ran == 0 }) { Scheduler.yield(task) }
            shared.flag.store(true, ordering: .releasing)
            shared.queue.wakeAll()
            queue.flush(task)
            let many = WorkQueues.workerCount
            for _ in 0..<10 {
                WorkQueues.watch(now: CycleClock.now + 400_000_000_000)
                Scheduler.yield(task)
            }
            for _ in 0..<200 { Spin.pause() }
            Kernel.check(WorkQueues.workerCount < many, "none of \(many) workers went")
            let noted = NotedWork()
            noted.queue(on: queue, cpu: 0)
            queue.destroy(task)
            Kernel.check(noted.ran == 1, "nobody is left to work")
        }
        #expect(failure == nil)
    }
}

/// Whether the kernel log has a line with this text.
private func logContains(_ text: String) -> Bool {
    var bytes = [UInt8](repeating: 0, count: KernelLog.size)
    var span = bytes.mutableSpan
    let read = KernelLog.read(from: 0, into: &span)
    return String(decoding: bytes.prefix(read.count), as: UTF8.self).contains(text)
}
