// /proc/sys/kernel/sched_*: what real-time threads may have of each CPU, and a round-robin turn (sched(7)).

import Primitives
import Tasks

enum ProcSchedulerSettings {
    static func add(to tree: PseudoTree) {
        tree.add("sys/kernel/sched_rr_timeslice_ms", 0o644) { bytes, _ throws(Errno) in
            let turn = try Input.number(bytes, in: Int(Int32.min)...Int(Int32.max))
            Scheduler.roundRobinTurn = UInt64(turn > 0 ? turn : 100) * 1_000_000
        } show: { text, _ in
            text.add("\(Scheduler.roundRobinTurn / 1_000_000)\n")
        }
        tree.add("sys/kernel/sched_rt_period_us", 0o644) { bytes, _ throws(Errno) in
            let period = try Input.number(bytes, in: 1...Int(Int32.max))
            try setShare(period: UInt64(period) * 1000, runtime: Scheduler.realTimeShare.runtime)
        } show: { text, _ in
            text.add("\(Scheduler.realTimeShare.period / 1000)\n")
        }
        tree.add("sys/kernel/sched_rt_runtime_us", 0o644) { bytes, _ throws(Errno) in
            let runtime = try Input.number(bytes, in: -1...Int(Int32.max))
            try setShare(
                period: Scheduler.realTimeShare.period, runtime: runtime < 0 ? nil : UInt64(runtime) * 1000)
        } show: { text, _ in
            guard let runtime = Scheduler.realTimeShare.runtime else { return text.add("-1\n") }
            text.add("\(runtime / 1000)\n")
        }
    }

    private static func setShare(period: UInt64, runtime: UInt64?) throws(Errno) {
        if let runtime, runtime > period { throw .invalid }
        Scheduler.setRealTimeShare(period: period, runtime: runtime)
    }
}
