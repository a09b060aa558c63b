// Instructions per operation of interrupts, exceptions, system calls and signals.
//
// The machine has 1 CPU and runs under -icount shift=0,sleep=off, where the time-stamp counter is the number of
// instructions executed. Rows of the inside of the kernel come from `apus.bench=interrupts`; for Linux they were taken
// once with a module in Debian's 6.1.192-2, mitigations off, and are recorded here. Rows that a user program can
// measure come from the same program, as init, on both kernels.
import Foundation

/// The measurement of interrupts.
struct InterruptBench: Sendable {
    /// The Linux to measure; nil takes the recorded numbers.
    let rival: LinuxKernel?

    private static let rows = [
        BenchRow(name: "vector_reschedule", title: "shortest vector, in and out", linux: 120, limit: 60),
        BenchRow(
            name: "vector_accounted", title: "vector with accounting and exit work", linux: 176, limit: 90),
        BenchRow(name: "line_to_handler", title: "device line to its handler", linux: 220, limit: 100),
        BenchRow(name: "line_whole_1", title: "device line, whole, 1 handler", linux: 476, limit: 230),
        BenchRow(name: "line_whole_2", title: "device line, whole, 2 handlers", linux: 490, limit: 242),
        BenchRow(name: "line_whole_4", title: "device line, whole, 4 handlers", linux: 534, limit: 266),
        BenchRow(name: "line_whole_8", title: "device line, whole, 8 handlers", linux: 630, limit: 314),
        BenchRow(name: "line_each_further", title: "each further shared handler", linux: 22, limit: 12),
        BenchRow(name: "line_to_thread", title: "device line to threaded handler", linux: 3563, limit: 1200),
        BenchRow(name: "request_free", title: "request and free of a line", linux: 5248),
        BenchRow(name: "get_user", title: "getUser that works", linux: 14, limit: 12),
        BenchRow(name: "put_user", title: "putUser that works", linux: 13),
        BenchRow(name: "get_user_fault", title: "getUser that faults, in a task", linux: 1023),
        BenchRow(name: "get_user_fault_atomic", title: "getUser that faults, atomic", linux: 585, limit: 350),
        BenchRow(name: "copy_from_user_4k", title: "4 KiB from user memory", linux: 553, limit: 540),
        BenchRow(
            name: "fault_anonymous_write", title: "minor fault: anonymous write", linux: 2785, limit: 1300),
        BenchRow(name: "fault_zero_read", title: "minor fault: zero page read", linux: 1267, limit: 500),
        BenchRow(name: "fault_copy_on_write", title: "minor fault: copy on write", linux: 3201, limit: 1600),
        BenchRow(name: "getpid_syscall", title: "getpid by syscall", linux: 308, limit: 110),
        BenchRow(name: "getpid_int80", title: "getpid by int $0x80", linux: 353, limit: 140),
        BenchRow(name: "sigsegv_handler_return", title: "SIGSEGV, handler, return", linux: 3648, limit: 1300),
        BenchRow(name: "tgkill_handler_return", title: "tgkill, handler, return", linux: 3924, limit: 1400),
        BenchRow(name: "irqsave_restore", title: "interrupts saved off and restored", linux: 10, limit: 8),
        BenchRow(name: "spin_lock_irqsave", title: "spin lock with it", linux: 31, limit: 16),
        BenchRow(name: "spin_lock", title: "spin lock", linux: 17),
    ]

    private static let program = BenchProgram(name: "interrupts")

    /// Measures, prints a table, and says whether each row is within its limit.
    func run() async throws -> Bool {
        try await Self.program.makeRamdisk()
        Progress.step("booting Apus twice" + (rival.map { " and \($0.title), which takes a minute" } ?? ""))
        async let inside = Self.boot(Project.kernel, append: "quiet apus.bench=interrupts", "inside")
        async let outside = Self.boot(Project.kernel, append: "quiet", "apus")
        async let linux = Self.measure(rival)
        var apus = try await inside.merging(try await outside) { first, _ in first }
        apus["line_each_further"] = Self.eachFurther(apus)
        let measured = try await linux
        let title = rival?.title ?? "Linux 6.1"
        print(
            "instructions per operation: minimum, median, 99th percentile of 2,000; \(title) beside it, median"
        )
        print("(r: recorded with 6.1.192-2, mitigations off, where only a kernel module can measure)")
        return BenchTable(rows: Self.rows).show(apus, rival: measured)
    }

    /// What each handler of a line costs beside the first, rounded up: from the lines with eight and with one.
    private static func eachFurther(_ readings: [String: BenchReading]) -> BenchReading? {
        guard let one = readings["line_whole_1"], let eight = readings["line_whole_8"] else { return nil }
        func each(_ part: KeyPath<BenchReading, Int>) -> Int {
            (eight[keyPath: part] - one[keyPath: part] + 6) / 7
        }
        return BenchReading(least: each(\.least), median: each(\.median), late: each(\.late))
    }

    private static func measure(_ rival: LinuxKernel?) async throws -> [String: BenchReading] {
        guard let rival else { return [:] }
        return try await boot(
            rival.path, append: "quiet tsc=reliable nokaslr mitigations=off nopti", "linux")
    }

    private static func boot(_ kernel: String, append: String, _ name: String) async throws
        -> [String: BenchReading]
    {
        var machine = VirtualMachine()
        machine.cpus = 1
        machine.kernel = kernel
        machine.ramdisk = program.ramdisk
        machine.append = append
        // Not for Linux, which finds it by the firmware's tables and makes it the console.
        if kernel == Project.kernel { machine.extraArguments = VirtualMachine.testPort }
        return try await machine.measure(log: "interrupts-\(name)")
    }
}
