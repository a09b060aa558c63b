// Instructions per operation of calls between CPUs, TLB shootdown, context switches and what programs do with them.
//
// The machine has several CPUs, all on one host thread under -icount shift=0,sleep=off: the time-stamp counter is the
// number of instructions that all of them have executed. A CPU that waits gives its turn away with each PAUSE. Linux
// hangs at boot in this mode, so its figures, of Debian's 6.1.192-2 with mitigations off on 4 CPUs, were taken once with
// a plugin of QEMU and are recorded here.
import Foundation

/// The measurement of calls between CPUs.
struct CrossCPUBench: Sendable {
    let cpus: Int

    private static let inside = [
        BenchRow(name: "call_wait_idle", title: "call on one CPU, waiting (idle)", linux: 1184, limit: 450),
        BenchRow(name: "call_wait_busy", title: "call on one CPU, waiting (busy)", linux: 398, limit: 220),
        BenchRow(name: "call_body_idle", title: "call on one CPU to body (idle)", linux: 429, limit: 220),
        BenchRow(name: "call_body_busy", title: "call on one CPU to body (busy)", linux: 280, limit: 160),
        BenchRow(name: "call_nowait", title: "call, not waiting: caller's share", linux: 143, limit: 70),
        BenchRow(
            name: "call_many_idle", title: "call on all others, waiting (idle)", linux: 3636, limit: 1300),
        BenchRow(
            name: "call_many_busy", title: "call on all others, waiting (busy)", linux: 1278, limit: 650),
        BenchRow(name: "flush_all_idle", title: "flush all TLBs (idle)", linux: 3940, limit: 1500),
        BenchRow(name: "flush_all_busy", title: "flush all TLBs (busy)", linux: 1582, limit: 750),
        BenchRow(name: "two_switches", title: "two context switches", linux: 6528, limit: 1600),
    ]

    private static let outside = [
        BenchRow(name: "madvise_1", title: "madvise(DONTNEED), 1 page", linux: 5928, limit: 2200),
        BenchRow(name: "mprotect_1", title: "mprotect there and back, 1 page", linux: 19103, limit: 6000),
        BenchRow(name: "mprotect_64", title: "mprotect there and back, 64 pages", linux: 30102, limit: 10000),
        BenchRow(name: "map_touch_unmap_1", title: "map, touch, unmap 1 page", linux: 21682, limit: 7000),
        BenchRow(
            name: "map_touch_unmap_64", title: "map, touch, unmap 64 pages", linux: 283804, limit: 120000),
        BenchRow(name: "pipe_cross", title: "pipe ping-pong across CPUs", linux: 16046, limit: 6000),
        BenchRow(name: "futex_cross", title: "futex ping-pong across CPUs", linux: 13235, limit: 5000),
        BenchRow(name: "pipe_same", title: "pipe ping-pong on one CPU", linux: 10335, limit: 4000),
        BenchRow(name: "futex_same", title: "futex ping-pong on one CPU", linux: 6999, limit: 2600),
        BenchRow(name: "fork", title: "fork, exit, wait", linux: 221324, limit: 80000),
        BenchRow(name: "vfork", title: "vfork, exit, wait", linux: 37782, limit: 14000),
        BenchRow(name: "thread", title: "thread create and join", linux: 34211, limit: 12000),
    ]

    private static let program = BenchProgram(name: "crosscpu")

    /// Measures, prints a table, and says whether each row is within its limit; limits are those of 4 CPUs.
    func run() async throws -> Bool {
        try await Self.program.makeRamdisk()
        Progress.step("booting Apus twice with \(cpus) CPUs")
        async let inside = boot("quiet apus.bench=crosscpu", "inside")
        async let outside = boot("quiet", "outside")
        let readings = try await inside.merging(try await outside) { first, _ in first }
        print(
            "instructions of all \(cpus) CPUs per operation: minimum, median, 99th percentile of the readings"
        )
        print("(r: Linux's medians with 4 CPUs, recorded)")
        let isWithinLimits = BenchTable(rows: Self.inside + Self.outside, checksLimits: cpus == 4).show(
            readings)
        try await FlushBench.run()
        return isWithinLimits
    }

    private func boot(_ append: String, _ name: String) async throws -> [String: BenchReading] {
        var machine = VirtualMachine()
        machine.cpus = cpus
        machine.append = append
        machine.ramdisk = Self.program.ramdisk
        return try await machine.measure(log: "crosscpu-\(cpus)-\(name)", timeLimit: 600)
    }

    // MARK: Scaling

    private static let scaled = ["call_many_idle", "call_many_busy", "flush_all_idle", "flush_all_busy"]

    /// What an operation costs for each receiver with 2, 4, 8 and 64 CPUs; whether it rises nowhere by more than a quarter. What
    /// the sender pays once weighs the more the fewer receivers there are, so the cost falls at first.
    static func scale() async throws -> Bool {
        try await program.makeRamdisk()
        var perReceiver: [String: [Int]] = [:]
        let counts = [2, 4, 8, 64]
        for cpus in counts {
            Progress.step("booting Apus with \(cpus) CPUs")
            let readings = try await CrossCPUBench(cpus: cpus).boot("quiet apus.bench=crosscpu", "inside")
            for name in scaled {
                perReceiver[name, default: []].append((readings[name]?.median ?? 0) / (cpus - 1))
            }
        }
        print(
            "instructions of all CPUs for each receiver, with \(counts.map(String.init).joined(separator: ", ")) CPUs"
        )
        var areFlat = true
        for row in inside where scaled.contains(row.name) {
            let costs = perReceiver[row.name] ?? []
            let flat = isFlat(costs)
            areFlat = areFlat && flat
            print(row.title + ": " + costs.map(String.init).joined(separator: ", ") + (flat ? "" : " !"))
        }
        return areFlat
    }

    /// Whether no cost is more than a quarter above one with fewer receivers.
    static func isFlat(_ costs: [Int]) -> Bool {
        var least = Int.max
        for cost in costs {
            if cost <= 0 || (least != .max && cost > least + least / 4) { return false }
            least = min(least, cost)
        }
        return !costs.isEmpty
    }
}
