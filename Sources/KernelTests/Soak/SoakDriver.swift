// A thread of a soak: schedules and takes back at random, or computes.

import CrossCPU
import Deferred
import Machine
import Primitives
import Synchronization
import Tasks
import Time

@safe struct SoakDriver {
    private let soak: DeferredSoak
    /// Computes and sleeps instead, so that whoever is scheduled has somebody to get the CPU from.
    private let isLoad: Bool
    private var random: UInt64

    init(_ soak: DeferredSoak, _ index: Int, isLoad: Bool) {
        self.soak = soak
        self.isLoad = isLoad
        random = 0x9e37_79b9_7f4a_7c15 &* UInt64(index &+ 1)
    }

    mutating func run(_ task: borrowing TaskContext) {
        while !soak.isOver.load(ordering: .relaxed) {
            if isLoad { compute(task) } else { turn(task) }
        }
    }

    /// xorshift64
    private mutating func next(_ limit: Int) -> Int {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return Int(truncatingIfNeeded: (random >> 16) % UInt64(limit))
    }

    private mutating func compute(_ task: borrowing TaskContext) {
        let end = Clock.monotonic &+ UInt64(200_000 &+ next(800_000))
        while Clock.monotonic < end { Spin.pause() }
        if next(4) == 0 { Thread.sleep(for: 300_000, task) }
        Scheduler.reschedulePoint(task)
    }

    private mutating func turn(_ task: borrowing TaskContext) {
        switch next(12) {
        case 0, 1: raise()
        case 2, 3: scheduleTasklet(next(DeferredSoak.taskletCount))
        case 4: scheduleElsewhere()
        case 5: hold(next(DeferredSoak.taskletCount), task)
        case 6, 7, 8: queueWork(next(DeferredSoak.workCount))
        case 9: takeBackWork(next(DeferredSoak.workCount), task)
        default: delay(next(DeferredSoak.delayedCount), task)
        }
        if next(64) == 0 { Thread.sleep(for: 50_000, task) }
        Scheduler.reschedulePoint(task)
    }

    private func raise() {
        withBottomHalvesOff { _ in
            let item = soak.softInterrupts[CPU.index]
            item.countIn(item.claim(true))
            SoftInterrupts.raise(.irqPoll)
        }
    }

    private func scheduleTasklet(_ index: Int) {
        let isScheduled =
            unsafe index % 2 == 0 ? soak.tasklets[index].scheduleHigh() : soak.tasklets[index].schedule()
        soak.taskletItems[index].countIn(isScheduled)
    }

    /// From the hard interrupts of all other CPUs: a soft IRQ, a tasklet, and a work.
    private func scheduleElsewhere() {
        withPreemptionOff { off in
            _ = try? CrossCPU.callFunctionMany(CPUs.online, wait: false, off) { context, _ in
                guard let soak = unsafe DeferredSoak.shared else { return }
                let item = soak.softInterrupts[CPU.index]
                item.countIn(item.claim(true))
                SoftInterrupts.raise(.irqPoll, context)
                soak.taskletItems[1].countIn(unsafe soak.tasklets[1].schedule())
                soak.workItems[1].countIn(soak.queues[1].queue(unsafe soak.works[1]))
            }
        }
    }

    /// Disables a tasklet for a moment.
    private func hold(_ index: Int, _ task: borrowing TaskContext) {
        unsafe soak.tasklets[index].disable(task)
        scheduleTasklet(index)
        do throws(Errno) { try unsafe soak.tasklets[index].enable(task) } catch {
            TestReport.line("soak: enable failed")
        }
    }

    private mutating func queueWork(_ index: Int) {
        let queue = soak.queues[index % soak.queues.count]
        let isQueued =
            next(3) == 0
            ? queue.queue(unsafe soak.works[index], on: next(CPUs.count))
            : queue.queue(unsafe soak.works[index])
        soak.workItems[index].countIn(isQueued)
    }

    private mutating func takeBackWork(_ index: Int, _ task: borrowing TaskContext) {
        switch next(4) {
        case 0: soak.workItems[index].countBack(unsafe soak.works[index].cancelSync(task))
        case 1: soak.workItems[index].countBack(unsafe soak.works[index].cancel())
        case 2: unsafe soak.works[index].flush(task)
        default: if next(16) == 0 { soak.queues[index % soak.queues.count].flush(task) }
        }
    }

    /// Those of even numbers are cancelled with waiting, the others moved: `modifyDelayed` does nothing while somebody waits.
    private mutating func delay(_ index: Int, _ task: borrowing TaskContext) {
        let item = soak.delayedItems[index]
        let time = UInt64(next(2_000_000))
        switch next(4) {
        case 0 where index % 2 == 0: item.countBack(unsafe soak.delayed[index].cancelSync(task))
        case 0: item.countBack(unsafe soak.delayed[index].cancel())
        case 1 where index % 2 == 1:
            item.countIn(!WorkQueue.events.modifyDelayed(unsafe soak.delayed[index], after: time))
        default: item.countIn(WorkQueue.events.queueDelayed(unsafe soak.delayed[index], after: time))
        }
    }
}
