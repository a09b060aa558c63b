// The load averages: how many threads ran or waited uninterruptibly, on average over one, five and fifteen
// minutes, each sample weighing less the older it is.
// A kernel thread takes a sample every five seconds.

import Primitives
import Synchronization
import Tasks
import Time

public enum LoadAverage {
    /// With eleven bits behind the point.
    struct Values {
        var one: UInt64 = 0
        var five: UInt64 = 0
        var fifteen: UInt64 = 0
    }

    private static let period: UInt64 = 5_000_000_000
    /// 2048 / e^(5 s / average): what is kept of the old value in a period.
    private static let keepOne: UInt64 = 1884
    private static let keepFive: UInt64 = 2014
    private static let keepFifteen: UInt64 = 2037

    /// Task context.
    private static let values = SpinLock(Values())

    static var now: Values { values.withLock { $0 } }

    /// Starts the thread that takes the samples. Boot only, once threads run.
    public static func start() throws(Errno) {
        let thread = try Thread.create(name: "loadavg") { task in
            var next = Clock.monotonic &+ period
            while sleep(until: next, task) {
                sample()
                next &+= period
            }
        }
        thread.start()
    }

    /// Always true: the thread never ends.
    private static func sleep(until time: UInt64, _ task: borrowing TaskContext) -> Bool {
        do throws(Errno) {
            try Thread.sleep(until: Deadline(at: time), task)
        } catch {
            // Only signals end a sleep early, and a kernel thread has none.
        }
        return true
    }

    /// One period: threads that run or wait uninterruptibly, this one not counted.
    static func sample() {
        var active = -1
        for cpu in 0..<CPUs.count {
            let statistics = Scheduler.statistics(cpu: cpu)
            active += statistics.runnable + statistics.uninterruptible
        }
        let load = UInt64(max(active, 0)) << 11
        values.withLock { values in
            values.one = mix(values.one, keepOne, load)
            values.five = mix(values.five, keepFive, load)
            values.fifteen = mix(values.fifteen, keepFifteen, load)
        }
    }

    /// Rounds towards the load, so that an average reaches it.
    static func mix(_ old: UInt64, _ keep: UInt64, _ load: UInt64) -> UInt64 {
        let sum = old * keep + load * (2048 - keep)
        return (load >= old ? sum + 2047 : sum) >> 11
    }
}
