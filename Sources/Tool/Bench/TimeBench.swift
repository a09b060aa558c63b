// Instructions per operation of clocks and timers in the kernel.
//
// The machine has 1 CPU and runs under -icount shift=0,sleep=off, where the time-stamp counter is the number of
// instructions executed. Linux's figures were taken once with a module in Debian's 6.1.192-2, mitigations off.
import Foundation

/// The measurement of timers.
enum TimeBench {
    static let rows =
        [BenchRow(name: "ktime_read", title: "monotonic clock read", linux: 45, limit: 30)]
        + wheel(1, arm: 244) + wheel(1000, arm: 245) + wheel(100_000, arm: 245) + [
            BenchRow(
                name: "timer_expire_of_10000", title: "timer expired, each of 10,000", linux: 75, limit: 50),
            start(1, 232, 140), start(1000, 308, 180), start(100_000, 379, 220),
            BenchRow(
                name: "hrtimer_cancel_of_10000", title: "hr timer cancelled, each of 10,000", linux: 157,
                limit: 90),
            BenchRow(
                name: "hrtimer_expire_of_10000", title: "hr timer expired, each of 10,000", linux: 146,
                limit: 90),
        ]

    private static func wheel(_ pending: Int, arm: Int) -> [BenchRow] {
        func row(_ name: String, _ title: String, _ linux: Int, _ limit: Int) -> BenchRow {
            BenchRow(
                name: "timer_\(name)_\(pending)", title: "timer \(title), \(pending) pending", linux: linux,
                limit: limit)
        }
        return [
            row("arm", "armed", arm, 100), row("rearm", "re-armed", 285, 130),
            row("delete", "deleted", 124, 60),
        ]
    }

    private static func start(_ pending: Int, _ linux: Int, _ limit: Int) -> BenchRow {
        BenchRow(
            name: "hrtimer_start_\(pending)", title: "hr timer started, \(pending) pending", linux: linux,
            limit: limit)
    }

    private static let program = BenchProgram(name: "interrupts")

    /// Measures, prints a table, and says whether each row is within its limit.
    static func run() async throws -> Bool {
        try await program.makeRamdisk()
        Progress.step("booting Apus")
        var machine = VirtualMachine()
        machine.cpus = 1
        machine.append = "quiet apus.bench=time"
        machine.ramdisk = program.ramdisk
        machine.extraArguments = VirtualMachine.testPort
        let readings = try await machine.measure(log: "time")
        print(
            "instructions per operation: minimum, median, 99th percentile of 2,000 (of 20 for 10,000 together)"
        )
        print("(r: Linux's medians, recorded)")
        return BenchTable(rows: rows).show(readings)
    }
}
