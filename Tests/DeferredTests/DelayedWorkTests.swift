// Works with a delay, on simulated machines under many seeds.

import Deferred
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing
import Time

private typealias Kernel = SimulatedKernel

/// A delayed work and what its function notes.
@safe private final class NotedDelayed: @unchecked Sendable {
    let runs = Atomic<Int>(0)
    let claims = Atomic<Int>(0)
    let ranAt = Atomic<UInt64>(0)
    let inside = Atomic<Int>(0)
    let again = Atomic<Int>(0)
    private let pointer: UnsafeMutablePointer<DelayedWork>

    init() {
        unsafe pointer = .allocate(capacity: 1)
        let word = unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
        unsafe pointer.initialize(
            to: DelayedWork("delayed", word: word) { _, word in
                unsafe Unmanaged<NotedDelayed>.fromOpaque(UnsafeRawPointer(bitPattern: word)!)
                    ._withUnsafeGuaranteedRef { $0.run() }
            })
    }

    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    func with<R>(_ use: (borrowing DelayedWork) -> R) -> R { use(unsafe pointer.pointee) }

    func queue(after delay: UInt64, on cpu: Int? = nil) -> Bool {
        let isMine = with { WorkQueue.events.queueDelayed($0, after: delay, on: cpu) }
        if isMine { claims.wrappingAdd(1, ordering: .relaxed) }
        return isMine
    }

    private func run() {
        inside.wrappingAdd(1, ordering: .relaxed)
        runs.wrappingAdd(1, ordering: .relaxed)
        ranAt.store(Clock.monotonic, ordering: .relaxed)
        for _ in 0..<6 { Spin.interleave() }
        if again.load(ordering: .relaxed) > 0 { _ = queue(after: 500) }
        for _ in 0..<4 { Spin.interleave() }
        inside.wrappingSubtract(1, ordering: .relaxed)
    }

    var ran: Int { runs.load(ordering: .acquiring) }
}

@Suite(.serialized) struct DelayedWorkTests {
    @Test func itRunsOnceAndNeverEarly() {
        let failure = Kernel.underSeeds(300) { task in
            for delay: UInt64 in [0, 1, 1000, 300_000, 20_000_000] {
                let noted = NotedDelayed()
                let start = Clock.monotonic
                Kernel.check(noted.queue(after: delay), "was queued already")
                if delay > 0 { Kernel.check(!noted.queue(after: 5), "queued twice") }
                while noted.ran == 0 { Thread.sleep(for: max(delay, 100_000), task) }
                let at = noted.ranAt.load(ordering: .relaxed)
                Kernel.check(at >= start + delay, "early: due \(start + delay), ran \(at)")
                noted.with { _ = $0.cancelSync(task) }
                Kernel.check(noted.ran == noted.claims.load(ordering: .relaxed), "lost or doubled")
            }
        }
        #expect(failure == nil)
    }

    @Test func flushDoesNotWaitForTheTimer() {
        let failure = Kernel.underSeeds(120) { task in
            let noted = NotedDelayed()
            _ = noted.queue(after: 3_600_000_000_000)
            noted.with { _ = $0.flush(task) }
            Kernel.check(noted.ran == 1, "not run")
            Kernel.check(Clock.monotonic < 3_600_000_000_000, "waited for the timer")
        }
        #expect(failure == nil)
    }

    @Test func modifyMovesIt() {
        let failure = Kernel.underSeeds(120) { task in
            let noted = NotedDelayed()
            _ = noted.queue(after: 1_000_000)
            let moved = noted.with { WorkQueue.events.modifyDelayed($0, after: 50_000_000) }
            Kernel.check(moved || noted.ran > 0, "was not waiting")
            let start = Clock.monotonic
            Thread.sleep(for: 60_000_000, task)
            Kernel.check(noted.ran > 0, "not run")
            if moved {
                Kernel.check(noted.ran == 1, "ran \(noted.ran) times")
                let at = noted.ranAt.load(ordering: .relaxed)
                Kernel.check(at + 1_000_000 >= start + 50_000_000, "at the old time")
            }
            Kernel.check(!(noted.with { WorkQueue.events.modifyDelayed($0, after: 10) }), "was waiting")
            noted.with { _ = $0.flush(task) }
        }
        #expect(failure == nil)
    }

    @Test func cancelEndsOneThatQueuesItselfAgain() {
        let failure = Kernel.underSeeds(300) { task in
            let noted = NotedDelayed()
            noted.again.store(1, ordering: .relaxed)
            Thread.current.bind(to: CPUMask(0))
            _ = noted.queue(after: 500, on: SimulatedCPU.current.machine.cpus.count - 1)
            Thread.sleep(for: 20_000, task)
            let wasWaiting = noted.with { $0.cancelSync(task) }
            let ran = noted.ran
            Kernel.check(noted.inside.load(ordering: .relaxed) == 0, "still running")
            let claims = noted.claims.load(ordering: .relaxed)
            Kernel.check(ran == claims - (wasWaiting ? 1 : 0), "\(claims) in, \(ran) run")
            Thread.sleep(for: 100_000, task)
            Kernel.check(noted.ran == ran, "ran after it was cancelled")
        }
        #expect(failure == nil)
    }

    @Test func allComersAreAccountedFor() {
        let failure = Kernel.underSeeds(300) { task in
            let noted = NotedDelayed()
            let cancelled = Shared()
            SimulatedKernel.threads(4, bound: true, task) { index, task in
                for turn in 0..<8 {
                    switch index {
                    case 0, 1: _ = noted.queue(after: UInt64(turn * 300))
                    case 2:
                        let wasWaiting = noted.with { WorkQueue.events.modifyDelayed($0, after: 200) }
                        if !wasWaiting { noted.claims.wrappingAdd(1, ordering: .relaxed) }
                    default:
                        if noted.with({ turn % 2 == 0 ? $0.cancel() : $0.cancelSync(task) }) {
                            cancelled.count.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                    Spin.interleave()
                }
            }
            noted.with { _ = $0.flush(task) }
            let out = noted.ran + cancelled.count.load(ordering: .relaxed)
            let claims = noted.claims.load(ordering: .relaxed)
            Kernel.check(out == claims, "\(claims) in, \(out) out")
        }
        #expect(failure == nil)
    }
}
