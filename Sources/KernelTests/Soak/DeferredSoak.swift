// `apus.bench=soak-SECONDS`: soft IRQs, tasklets, works and delayed works on all CPUs at once, under load, for a while. Whatever
// is scheduled is counted in, and counted out when it runs or is taken back: in the end both are equal for each item, and
// nothing has run twice at once. `./apus soak --deferred` boots it.

import CrossCPU
import Deferred
import Machine
import Primitives
import Synchronization
import Tasks
import Time

/// What is soaked. Lives to the end of the machine, as its tasklets and works must lie still.
@safe final class DeferredSoak: @unchecked Sendable {
    static let taskletCount = 16
    static let workCount = 40
    static let delayedCount = 24

    let softInterrupts: [SoakItem]
    let taskletItems = (0..<taskletCount).map { _ in SoakItem() }
    let workItems = (0..<workCount).map { _ in SoakItem() }
    let delayedItems = (0..<delayedCount).map { _ in SoakItem() }
    let tasklets = UnsafeMutablePointer<Tasklet>.allocate(capacity: taskletCount)
    let works = UnsafeMutablePointer<Work>.allocate(capacity: workCount)
    let delayed = UnsafeMutablePointer<DelayedWork>.allocate(capacity: delayedCount)
    let queues: [WorkQueue]
    let isOver = Atomic<Bool>(false)

    /// The soak, for handlers that get nothing that leads to it. Set before anything is scheduled.
    nonisolated(unsafe) static var shared: DeferredSoak? = nil

    init() throws(Errno) {
        queues = [
            .events, .highPriority, .unbound, .long, .powerEfficient,
            try WorkQueue("soak_ordered", .ordered), try WorkQueue("soak_cpu", .cpuIntensive, maxActive: 4),
            try WorkQueue("soak_rescued", [.memoryReclaim, .unbound]),
        ]
        softInterrupts = (0..<CPUs.count).map { _ in SoakItem() }
        for (index, item) in taskletItems.enumerated() {
            unsafe (tasklets + index).initialize(
                to: Tasklet("soak", word: item.word) { @Sendable _, word in
                    SoakItem.with(word) { $0.run() }
                })
        }
        for (index, item) in workItems.enumerated() {
            unsafe (works + index).initialize(to: Self.work(item, sleeps: index % 4 == 0))
        }
        for (index, item) in delayedItems.enumerated() {
            unsafe (delayed + index).initialize(
                to: DelayedWork("soak delayed", word: item.word) { @Sendable _, word in
                    SoakItem.with(word) { $0.run() }
                })
        }
    }

    private static func work(_ item: SoakItem, sleeps: Bool) -> Work {
        if sleeps {
            return Work("soak sleeper", word: item.word) { @Sendable task, word in
                SoakItem.with(word) { $0.run { Thread.sleep(for: 200_000, task) } }
            }
        }
        return Work("soak", word: item.word) { @Sendable _, word in SoakItem.with(word) { $0.run() } }
    }

    /// Runs the soak for so many seconds.
    /// - Returns: whether all counts came out even.
    static func run(seconds: Int, _ task: borrowing TaskContext) -> Bool {
        do throws(Errno) {
            let soak = try DeferredSoak()
            unsafe shared = soak
            SoftInterrupts.register(.irqPoll) { @Sendable _ in DeferredSoak.runSoftInterrupt() }
            return soak.run(seconds, task)
        } catch {
            TestReport.line("soak: no memory")
            return false
        }
    }

    private static func runSoftInterrupt() {
        guard let soak = unsafe shared else { return }
        let item = soak.softInterrupts[CPU.index]
        // All that were raised up to now, of which this is the one run.
        if item.claim(false) { item.run() }
    }

    private func run(_ seconds: Int, _ task: borrowing TaskContext) -> Bool {
        let cpus = CPUs.onlineCount
        let finished = Finished()
        var threads = 0
        for index in 0..<cpus * 3 {
            let thread = try? Thread.create(name: ThreadName("soak/", number: index)) { task in
                var driver = SoakDriver(self, index, isLoad: index >= cpus * 2)
                driver.run(task)
                finished.completion.complete()
            }
            guard let thread else { continue }
            if index < cpus { thread.bind(to: CPUMask(index)) }
            thread.start()
            threads += 1
        }
        for second in 1...max(seconds, 1) {
            Thread.sleep(for: 1_000_000_000, task)
            if second % 10 == 0 { report("at \(second) s") }
        }
        isOver.store(true, ordering: .sequentiallyConsistent)
        for _ in 0..<threads { finished.completion.wait(task) }
        settle(task)
        report("end")
        return verdict(threads == cpus * 3)
    }

    /// Lets everything that is scheduled run, or takes it back.
    private func settle(_ task: borrowing TaskContext) {
        for index in 0..<Self.delayedCount {
            delayedItems[index].countBack(unsafe delayed[index].cancelSync(task))
        }
        for index in 0..<Self.taskletCount { unsafe tasklets[index].kill(task) }
        for index in 0..<Self.workCount { unsafe works[index].flush(task) }
        for queue in queues { queue.flush(task) }
        for queue in queues.suffix(3) { queue.destroy(task) }
        // Soft IRQs run before their CPU goes on with a thread that sleeps on it.
        Thread.sleep(for: 10_000_000, task)
    }

    private func report(_ when: LogMessage) {
        line("softirq", SoakSum(softInterrupts), when)
        line("tasklet", SoakSum(taskletItems), when)
        line("work", SoakSum(workItems), when)
        line("delayed", SoakSum(delayedItems), when)
    }

    private func line(_ name: StaticString, _ sum: SoakSum, _ when: LogMessage) {
        TestReport.line(
            "soak: \(name) \(sum.scheduled) \(sum.ran) \(sum.takenBack) \(sum.overlaps) \(when)")
    }

    private func verdict(_ hasThreads: Bool) -> Bool {
        var isGood = hasThreads
        for sum in [
            SoakSum(softInterrupts), SoakSum(taskletItems), SoakSum(workItems), SoakSum(delayedItems),
        ] where !sum.isEven { isGood = false }
        TestReport.line("soak: \(isGood ? "all even" : "not even" as StaticString)")
        return isGood
    }
}
