// /proc/stat, uptime, loadavg, schedstat.

import Deferred
import Primitives
import Synchronization
import Tasks
import Time

enum ProcStatistics {
    static func add(to tree: PseudoTree) {
        tree.add("stat") { text, _ in showStatistics(&text) }
        tree.add("uptime") { text, _ in
            var idle: UInt64 = 0
            CPUs.online.forEach { idle &+= Scheduler.statistics(cpu: $0).idle }
            text.add("\(hundredths: Clock.monotonic) \(hundredths: idle)\n")
        }
        tree.add("schedstat") { text, _ in showSchedule(&text) }
        tree.add("loadavg") { text, _ in showLoad(&text) }
    }

    private static func showStatistics(_ text: inout Text) {
        var sum = SchedulerStatistics()
        var lines = Text()
        CPUs.online.forEach { cpu in
            let one = Scheduler.statistics(cpu: cpu)
            lines.add("cpu\(cpu) \(times: one)\n")
            sum.add(one)
        }
        text.add("cpu  \(times: sum)\n\(lines)")
        ProcInterruptFiles.addTotals(to: &text)
        text.add("ctxt \(sum.switches)\nbtime \(Clock.bootTime / 1_000_000_000)\n")
        text.add("processes \(ProcessTable.forks.load(ordering: .relaxed))\n")
        text.add("procs_running \(max(sum.runnable, 1))\nprocs_blocked \(max(sum.uninterruptible, 0))\n")
        addSoftInterrupts(to: &text)
    }

    private static func addSoftInterrupts(to text: inout Text) {
        var total: UInt64 = 0
        var each = Text()
        for vector in SoftInterrupt.allCases {
            var count: UInt64 = 0
            CPUs.online.forEach { count &+= SoftInterrupts.count(vector, cpu: $0) }
            total &+= count
            each.add(" \(count)")
        }
        text.add("softirq \(total)\(each)\n")
    }

    /// Version 15 (sched-stats.rst): per CPU yields, an unused number, choices, of these for want of work, wake-ups, of these by
    /// the CPU itself, nanoseconds run, nanoseconds waited, turns. There are no scheduling domains here.
    private static func showSchedule(_ text: inout Text) {
        // In ticks of 4 ms since 5 minutes before it overflows in 32 bits, as Linux counts.
        let ticks = Clock.monotonic / 4_000_000 &+ 0x1_0000_0000 &- 300 * 250
        text.add("version 15\ntimestamp \(ticks)\n")
        CPUs.online.forEach { cpu in
            let counts = Scheduler.counts(cpu: cpu)
            text.add("cpu\(cpu) \(counts.yields) 0 \(counts.switches) \(counts.idled) ")
            text.add("\(counts.wakeUps) \(counts.localWakeUps) ")
            text.add("\(counts.runtime) \(counts.delay) \(counts.turns)\n")
        }
    }

    private static func showLoad(_ text: inout Text) {
        var running = 0
        CPUs.online.forEach { running += Scheduler.statistics(cpu: $0).runnable }
        let loads = LoadAverage.now
        text.add("\(load: loads.one) \(load: loads.five) \(load: loads.fifteen) ")
        text.add("\(max(running, 1))/\(ProcessTable.count) \(ProcessTable.lastIdentifier)\n")
    }
}

extension SchedulerStatistics {
    mutating func add(_ other: SchedulerStatistics) {
        runnable += other.runnable
        uninterruptible += other.uninterruptible
        switches &+= other.switches
        user &+= other.user
        nice &+= other.nice
        system &+= other.system
        idle &+= other.idle
    }
}

extension Text.Interpolation {
    /// Nanoseconds as seconds with two digits behind the point.
    mutating func appendInterpolation(hundredths nanoseconds: UInt64) {
        let value = nanoseconds / 10_000_000
        text.add("\(value / 100).\(padded: value % 100, to: 2, with: 48)")
    }

    /// A CPU's times in ticks of a hundredth of a second: user nice system idle iowait irq softirq steal guest guest_nice.
    mutating func appendInterpolation(times: SchedulerStatistics) {
        let tick: UInt64 = 10_000_000
        text.add("\(times.user / tick) \(times.nice / tick) \(times.system / tick) \(times.idle / tick) ")
        // The time of interrupts is in that of the kernel.
        text.add("0 0 0 0 0 0")
    }

    /// A load average with eleven bits behind the point, rounded to hundredths.
    mutating func appendInterpolation(load: UInt64) {
        let rounded = load + 2048 / 200
        text.add("\(rounded >> 11).\(padded: ((rounded & 2047) * 100) >> 11, to: 2, with: 48)")
    }
}
