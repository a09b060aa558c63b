// `apus.bench=deferred`: what bottom halves cost. One CPU; `./apus bench deferred` puts Linux's figures beside these.

import CMachine
import Deferred
import Interrupts
import Machine
import Primitives
import Synchronization
import Tasks
import Time

/// When a body began, written by it and read by who waits for it.
private let began = Atomic<UInt64>(0)
private let completion = Completion()

enum DeferredBench {
    static func run(_ task: borrowing TaskContext) {
        Measurement.calibrate()
        bottomHalves()
        tasklets(task)
        works(task)
        manyWorks(task)
        delayedWorks(task)
        threads(task)
    }

    // MARK: Soft IRQs

    private static func bottomHalves() {
        Measurement.run("bh_off_on") { withBottomHalvesOff { _ in machine_compiler_barrier() } }
        SoftInterrupts.register(.irqPoll) { @Sendable _ in }
        Measurement.run("softirq_raise_run") {
            withBottomHalvesOff { _ in SoftInterrupts.raise(.irqPoll) }
        }
    }

    // MARK: Tasklets

    /// Lies still, and for ever.
    private static func makeTasklet() -> UnsafeMutablePointer<Tasklet> {
        let tasklet = UnsafeMutablePointer<Tasklet>.allocate(capacity: 1)
        unsafe tasklet.initialize(
            to: Tasklet("bench") { @Sendable _, _ in began.store(TSC.read(), ordering: .relaxed) })
        return unsafe tasklet
    }

    /// What the test vector's handler schedules, and when it did.
    nonisolated(unsafe) private static var scheduled: UnsafeMutablePointer<Tasklet>? = nil
    private static let scheduledAt = Atomic<UInt64>(0)

    private static func tasklets(_ task: borrowing TaskContext) {
        let tasklet = unsafe makeTasklet()
        Measurement.run("tasklet_whole") {
            withBottomHalvesOff { _ in _ = unsafe tasklet.pointee.schedule() }
        }
        unsafe scheduled = tasklet
        Vectors.setHandler(
            Vector(247),
            VectorHandler { @Sendable _, _ in
                DeferredBench.scheduledAt.store(TSC.read(), ordering: .relaxed)
                _ = unsafe DeferredBench.scheduled?.pointee.schedule()
            })
        var fromInterrupt = Measurement()
        for _ in 0..<Measurement.rounds {
            machine_raise_test_vector()
            fromInterrupt.add(began.load(ordering: .relaxed) &- scheduledAt.load(ordering: .relaxed))
        }
        fromInterrupt.report("tasklet_irq_to_body")
        var fromTask = Measurement()
        for _ in 0..<Measurement.rounds {
            began.store(0, ordering: .relaxed)
            let start = TSC.read()
            _ = unsafe tasklet.pointee.schedule()
            // Its thread has the CPU now, or soon.
            while began.load(ordering: .relaxed) == 0 { Scheduler.yield(task) }
            fromTask.add(began.load(ordering: .relaxed) &- start)
        }
        fromTask.report("tasklet_task_to_body")
    }

    // MARK: Works

    private static func works(_ task: borrowing TaskContext) {
        let work = Work("bench") { @Sendable _, _ in
            began.store(TSC.read(), ordering: .relaxed)
            completion.complete()
        }
        measure(work, on: .events, "work_to_body", "work_there_and_back", task)
        measure(work, on: .unbound, "work_unbound_to_body", "work_unbound_there_and_back", task)
    }

    private static func measure(
        _ work: borrowing Work, on queue: WorkQueue, _ first: StaticString, _ second: StaticString,
        _ task: borrowing TaskContext
    ) {
        var toBody = Measurement()
        var whole = Measurement()
        for _ in 0..<Measurement.rounds {
            let start = TSC.read()
            queue.queue(work)
            completion.wait(task)
            let end = TSC.read()
            toBody.add(began.load(ordering: .relaxed) &- start)
            whole.add(end &- start)
        }
        toBody.report(first)
        whole.report(second)
    }

    private static let many = 1000

    private static func manyWorks(_ task: borrowing TaskContext) {
        let works = UnsafeMutablePointer<Work>.allocate(capacity: many)
        for index in 0..<many { unsafe (works + index).initialize(to: Work("bench") { @Sendable _, _ in }) }
        var measurement = Measurement()
        for _ in 0..<Measurement.rounds / 10 {
            let start = TSC.read()
            for index in 0..<many { WorkQueue.events.queue(unsafe works[index]) }
            WorkQueue.events.flush(task)
            measurement.add(TSC.read() &- start)
        }
        measurement.report("work_of_1000", per: UInt64(many))
        unsafe works.deinitialize(count: many)
        unsafe works.deallocate()
    }

    private static func delayedWorks(_ task: borrowing TaskContext) {
        let work = DelayedWork("bench") { @Sendable _, _ in }
        var arm = Measurement()
        var modify = Measurement()
        var cancel = Measurement()
        for _ in 0..<Measurement.rounds {
            var start = TSC.read()
            WorkQueue.events.queueDelayed(work, after: 1_000_000_000_000)
            arm.add(TSC.read() &- start)
            start = TSC.read()
            WorkQueue.events.modifyDelayed(work, after: 2_000_000_000_000)
            modify.add(TSC.read() &- start)
            start = TSC.read()
            work.cancel()
            cancel.add(TSC.read() &- start)
        }
        arm.report("delayed_work_arm")
        modify.report("delayed_work_modify")
        cancel.report("delayed_work_cancel")
        work.cancelSync(task)
    }

    // MARK: Threads

    private static func threads(_ task: borrowing TaskContext) {
        var measurement = Measurement()
        for _ in 0..<Measurement.rounds {
            let start = TSC.read()
            guard let thread = try? Thread.create(name: "bench", start: { _ in completion.complete() }) else {
                continue
            }
            thread.start()
            completion.wait(task)
            measurement.add(TSC.read() &- start)
        }
        measurement.report("thread_create_stop")
    }
}
