// Tasklets and work queues on the real machine, on as many CPUs as there are.

import CrossCPU
import Deferred
import Machine
import Primitives
import Synchronization
import Tasks
import Time

/// What a handler or a work's function counts. Found by its address.
@safe private final class Counted: @unchecked Sendable {
    let runs = Atomic<Int>(0)
    let claims = Atomic<Int>(0)
    let inside = Atomic<Int>(0)
    let overlaps = Atomic<Int>(0)
    let elsewhere = Atomic<Int>(0)
    /// The CPU it should run on, -1 for any.
    let wantedCPU = Atomic<Int>(-1)
    /// The function sleeps so many nanoseconds.
    let pause = Atomic<UInt64>(0)
    /// The function sleeps as long as this is set, 30 s at most.
    let isHeld = Atomic<Bool>(false)

    var word: UInt { unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

    static func with(_ word: UInt, _ body: (Counted) -> Void) {
        // The test keeps the object until the tasklet or work is idle for good.
        unsafe Unmanaged<Counted>.fromOpaque(UnsafeRawPointer(bitPattern: word).unsafelyUnwrapped)
            ._withUnsafeGuaranteedRef(body)
    }

    func enter() {
        if inside.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue != 0 {
            overlaps.wrappingAdd(1, ordering: .relaxed)
        }
        runs.wrappingAdd(1, ordering: .relaxed)
        let wanted = wantedCPU.load(ordering: .relaxed)
        if wanted >= 0, wanted != CPU.index { elsewhere.wrappingAdd(1, ordering: .relaxed) }
    }

    func leave() { inside.wrappingSubtract(1, ordering: .sequentiallyConsistent) }

    func claim(_ isMine: Bool) { if isMine { claims.wrappingAdd(1, ordering: .relaxed) } }

    func check(_ check: inout Checker, least: Int = 1) {
        let ran = runs.load(ordering: .relaxed)
        check.expect(ran, equals: claims.load(ordering: .relaxed), "runs for as many claims")
        check.expect(overlaps.load(ordering: .relaxed), equals: 0, "runs at the same time as another")
        check.expect(elsewhere.load(ordering: .relaxed), equals: 0, "runs on a wrong CPU")
        check.expect(ran >= least, "ran \(ran) times, at least \(least) expected")
    }
}

@safe private final class CountedTasklet: @unchecked Sendable {
    let counted = Counted()
    let tasklet: Tasklet

    init() {
        tasklet = Tasklet("test", word: counted.word) { @Sendable _, word in
            Counted.with(word) {
                $0.enter()
                $0.leave()
            }
        }
    }
}

@safe private final class CountedWork: @unchecked Sendable {
    let counted = Counted()
    let work: Work

    init(on cpu: Int = -1, pause: UInt64 = 0) {
        counted.wantedCPU.store(cpu, ordering: .relaxed)
        counted.pause.store(pause, ordering: .relaxed)
        work = Work("test", word: counted.word) { @Sendable task, word in
            Counted.with(word) {
                $0.enter()
                let pause = $0.pause.load(ordering: .relaxed)
                if pause > 0 { Thread.sleep(for: pause, task) }
                let end = Clock.monotonic &+ 30_000_000_000
                while $0.isHeld.load(ordering: .acquiring), Clock.monotonic < end {
                    Thread.sleep(for: 1_000_000, task)
                }
                $0.leave()
            }
        }
    }
}

@safe private final class CountedDelayed: @unchecked Sendable {
    let counted = Counted()
    let cancelled = Atomic<Int>(0)
    let work: DelayedWork

    init() {
        work = DelayedWork("test", word: counted.word) { @Sendable _, word in
            Counted.with(word) {
                $0.enter()
                $0.leave()
            }
        }
    }
}

/// A tasklet that interrupts of other CPUs schedule.
nonisolated(unsafe) private var calledTasklet: CountedTasklet? = nil

/// Of the work whose CPU goes away.
private enum Away {
    static let began = Completion()
    static let mayEnd = Completion()
    static let endedOn = Atomic<Int>(-1)
    static let lateOn = Atomic<Int>(-1)
}

extension TestSuite {
    static let deferred = TestSuite(
        "deferred",
        [
            TestCase("a tasklet scheduled by all CPUs runs once for each claim, never twice at once") {
                task, check in
                let shared = CountedTasklet()
                runOnEachCPU(task, &check) { _, _ in
                    for _ in 0..<500 { shared.counted.claim(shared.tasklet.schedule()) }
                }
                shared.tasklet.kill(task)
                shared.counted.check(&check)
            },
            TestCase("a tasklet scheduled in hard interrupts of all CPUs") { task, check in
                let shared = CountedTasklet()
                unsafe calledTasklet = shared
                for _ in 0..<200 {
                    withPreemptionOff { off in
                        _ = try? CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in
                            guard let shared = unsafe calledTasklet else { return }
                            shared.counted.claim(shared.tasklet.scheduleHigh())
                        }
                    }
                }
                unsafe calledTasklet = nil
                shared.tasklet.kill(task)
                shared.counted.check(&check, least: CPUs.onlineCount > 1 ? 1 : 0)
            },
            TestCase("a disabled tasklet runs when it is enabled") { task, check in
                let shared = CountedTasklet()
                shared.tasklet.disable(task)
                shared.counted.claim(shared.tasklet.schedule())
                Thread.sleep(for: 2_000_000, task)
                check.expect(shared.counted.runs.load(ordering: .relaxed), equals: 0, "runs while disabled")
                do throws(Errno) { try shared.tasklet.enable(task) } catch {
                    check.expect(false, "enable failed")
                }
                shared.tasklet.kill(task)
                shared.counted.check(&check)
            },
            TestCase("a work queued by all CPUs runs once for each claim, never twice at once") {
                task, check in
                let shared = CountedWork(pause: 1000)
                runOnEachCPU(task, &check) { _, _ in
                    for _ in 0..<100 { shared.counted.claim(WorkQueue.events.queue(shared.work)) }
                }
                shared.work.flush(task)
                WorkQueue.events.flush(task)
                shared.counted.check(&check)
            },
            TestCase("works run on the CPU they were queued for, and 1,000 are flushed") { task, check in
                for cpu in 0..<CPUs.onlineCount {
                    let works = (0..<1000 / CPUs.onlineCount).map { _ in CountedWork(on: cpu) }
                    for work in works { work.counted.claim(WorkQueue.events.queue(work.work, on: cpu)) }
                    WorkQueue.events.flush(task)
                    for work in works { work.counted.check(&check) }
                }
            },
            TestCase("works that sleep hold up nobody") { task, check in
                let sleepers = (0..<8).map { _ in CountedWork(on: 0) }
                let quick = CountedWork(on: 0)
                for work in sleepers { work.counted.isHeld.store(true, ordering: .releasing) }
                for work in sleepers { work.counted.claim(WorkQueue.events.queue(work.work, on: 0)) }
                quick.counted.claim(WorkQueue.events.queue(quick.work, on: 0))
                quick.work.flush(task)
                let asleep = sleepers.count { $0.counted.inside.load(ordering: .relaxed) > 0 }
                check.expect(asleep, equals: sleepers.count, "works that sleep")
                for work in sleepers { work.counted.isHeld.store(false, ordering: .releasing) }
                WorkQueue.events.flush(task)
                quick.counted.check(&check)
                for work in sleepers { work.counted.check(&check) }
            },
            TestCase("a work that sleeps while its CPU goes is done elsewhere, and later ones too") {
                task, check in
                guard let cpu = (1..<CPUs.count).last(where: { CPUs.isOnline($0) }) else {
                    return check.skip("one CPU only")
                }
                let began = Work("began") { @Sendable task, _ in
                    Away.began.complete()
                    Away.mayEnd.wait(task)
                    Away.endedOn.store(CPU.index, ordering: .releasing)
                }
                let late = Work("late") { @Sendable _, _ in Away.lateOn.store(CPU.index, ordering: .releasing)
                }
                WorkQueue.events.queue(began, on: cpu)
                Away.began.wait(task)
                do throws(Errno) {
                    try CPUHotplug.set(cpu, online: false, task)
                    WorkQueue.events.queue(late, on: cpu)
                    Away.mayEnd.complete()
                    _ = began.flush(task)
                    _ = late.flush(task)
                    check.expect(!CPUs.isOnline(cpu), "the CPU came back")
                    for place in [
                        Away.endedOn.load(ordering: .acquiring), Away.lateOn.load(ordering: .acquiring),
                    ] {
                        check.expect(place >= 0 && place != cpu, "done on CPU \(place)")
                    }
                    try CPUHotplug.set(cpu, online: true, task)
                    WorkQueue.events.queue(late, on: cpu)
                    _ = late.flush(task)
                    check.expect(Away.lateOn.load(ordering: .acquiring), equals: cpu, "done again on its CPU")
                } catch { check.expect(false, "CPU \(cpu): error \(error.code)") }
            },
            TestCase("cancelled works do not run, and all are accounted for") { task, check in
                let shared = CountedWork(pause: 1000)
                let cancelled = Counted()
                runOnEachCPU(task, &check) { cpu, task in
                    for round in 0..<60 {
                        shared.counted.claim(WorkQueue.events.queue(shared.work))
                        if (round &+ cpu) % 3 == 0, shared.work.cancelSync(task) {
                            cancelled.runs.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                }
                if shared.work.cancelSync(task) { cancelled.runs.wrappingAdd(1, ordering: .relaxed) }
                let out =
                    shared.counted.runs.load(ordering: .relaxed) + cancelled.runs.load(ordering: .relaxed)
                check.expect(out, equals: shared.counted.claims.load(ordering: .relaxed), "run or cancelled")
                check.expect(shared.counted.overlaps.load(ordering: .relaxed), equals: 0, "overlaps")
            },
            TestCase("delayed works run once and never early; cancelled ones do not run") { task, check in
                let shared = CountedDelayed()
                runOnEachCPU(task, &check) { cpu, task in
                    for round in 0..<40 {
                        let delay = UInt64(round % 4) * 200_000
                        shared.counted.claim(WorkQueue.events.queueDelayed(shared.work, after: delay))
                        if (round &+ cpu) % 5 == 0, shared.work.cancelSync(task) {
                            shared.cancelled.wrappingAdd(1, ordering: .relaxed)
                        }
                        if round % 8 == 0 { Thread.sleep(for: 500_000, task) }
                    }
                }
                if shared.work.cancelSync(task) { shared.cancelled.wrappingAdd(1, ordering: .relaxed) }
                let out =
                    shared.counted.runs.load(ordering: .relaxed) + shared.cancelled.load(ordering: .relaxed)
                check.expect(out, equals: shared.counted.claims.load(ordering: .relaxed), "run or cancelled")
                check.expect(shared.counted.overlaps.load(ordering: .relaxed), equals: 0, "overlaps")
                let start = Clock.monotonic
                WorkQueue.events.queueDelayed(shared.work, after: 3_000_000)
                while shared.work.isPending { Thread.sleep(for: 100_000, task) }
                check.expect(Clock.monotonic - start >= 3_000_000, "early")
                shared.work.cancelSync(task)
            },
            TestCase("an ordered queue, a rescued one, and their ends") { task, check in
                do throws(Errno) {
                    let ordered = try WorkQueue("ordered", .ordered)
                    let rescued = try WorkQueue("rescued", [.memoryReclaim, .highPriority])
                    let works = (0..<20).map { _ in CountedWork(pause: 1000) }
                    for work in works {
                        work.counted.claim(ordered.queue(work.work))
                        work.work.flush(task)
                        work.counted.claim(rescued.queue(work.work))
                    }
                    ordered.destroy(task)
                    rescued.destroy(task)
                    for work in works { work.counted.check(&check, least: 2) }
                    check.expect(!ordered.queue(works[0].work), "a destroyed queue took a work")
                } catch { check.expect(false, "no memory for a queue") }
            },
        ])
}
