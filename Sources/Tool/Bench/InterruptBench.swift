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

    /// One line of the table.
    struct Row: Sendable {
        var name: String
        var title: String
        /// Median of Linux 6.1 with mitigations off, recorded.
        var linux: Int
        /// What Apus may need at most.
        var limit: Int?
    }

    static let rows = [
        Row(name: "vector_reschedule", title: "shortest vector, in and out", linux: 120, limit: 60),
        Row(name: "vector_accounted", title: "vector with accounting and exit work", linux: 176, limit: 90),
        Row(name: "line_to_handler", title: "device line to its handler", linux: 220, limit: 100),
        Row(name: "line_whole_1", title: "device line, whole, 1 handler", linux: 476, limit: 230),
        Row(name: "line_whole_2", title: "device line, whole, 2 handlers", linux: 490, limit: 242),
        Row(name: "line_whole_4", title: "device line, whole, 4 handlers", linux: 534, limit: 266),
        Row(name: "line_whole_8", title: "device line, whole, 8 handlers", linux: 630, limit: 314),
        Row(name: "line_to_thread", title: "device line to threaded handler", linux: 3563, limit: 1200),
        Row(name: "request_free", title: "request and free of a line", linux: 5248),
        Row(name: "get_user", title: "getUser that works", linux: 14, limit: 12),
        Row(name: "put_user", title: "putUser that works", linux: 13),
        Row(name: "get_user_fault", title: "getUser that faults, in a task", linux: 1023),
        Row(name: "get_user_fault_atomic", title: "getUser that faults, atomic", linux: 585, limit: 350),
        Row(name: "copy_from_user_4k", title: "4 KiB from user memory", linux: 553, limit: 540),
        Row(name: "fault_anonymous_write", title: "minor fault: anonymous write", linux: 2785, limit: 1300),
        Row(name: "fault_zero_read", title: "minor fault: zero page read", linux: 1267, limit: 500),
        Row(name: "fault_copy_on_write", title: "minor fault: copy on write", linux: 3201, limit: 1600),
        Row(name: "getpid_syscall", title: "getpid by syscall", linux: 308, limit: 110),
        Row(name: "getpid_int80", title: "getpid by int $0x80", linux: 353, limit: 140),
        Row(name: "sigsegv_handler_return", title: "SIGSEGV, handler, return", linux: 3648, limit: 1300),
        Row(name: "tgkill_handler_return", title: "tgkill, handler, return", linux: 3924, limit: 1400),
        Row(name: "irqsave_restore", title: "interrupts saved off and restored", linux: 10, limit: 8),
        Row(name: "spin_lock_irqsave", title: "spin lock with it", linux: 31, limit: 16),
        Row(name: "spin_lock", title: "spin lock", linux: 17),
    ]

    /// Minimum, median and 99th percentile.
    struct Reading: Equatable, Sendable {
        var least: Int
        var median: Int
        var late: Int
    }

    private static let source = "Tests/Bench/interrupts.c"
    private static let program = "build/bench-interrupts"
    private static let ramdisk = "build/bench-interrupts.cpio.gz"

    /// The readings on a console, by name.
    static func readings(console: String) -> [String: Reading] {
        var readings: [String: Reading] = [:]
        for line in console.split(separator: "\n") {
            guard let found = line.range(of: "bench: ") else { continue }
            let words = line[found.upperBound...].split(separator: " ")
            let numbers = words.dropFirst().compactMap { Int($0) }
            guard words.count == 4, numbers.count == 3 else { continue }
            readings[String(words[0])] = Reading(least: numbers[0], median: numbers[1], late: numbers[2])
        }
        return readings
    }

    /// Measures, prints a table, and says whether each row is within its limit.
    func run() async throws -> Bool {
        try await Self.makeRamdisk()
        Progress.step("booting Apus twice" + (rival.map { " and \($0.title), which takes a minute" } ?? ""))
        async let inside = Self.boot(Project.kernel, append: "quiet apus.bench=interrupts", "inside")
        async let outside = Self.boot(Project.kernel, append: "quiet", "apus")
        async let linux = Self.measure(rival)
        let apus = try await inside.merging(try await outside) { first, _ in first }
        let measured = try await linux
        let title = rival?.title ?? "Linux 6.1"
        print(
            "instructions per operation: minimum, median, 99th percentile of 2,000; \(title) beside it, median"
        )
        print("(r: recorded with 6.1.192-2, mitigations off, where only a kernel module can measure)")
        print(Self.line("operation", "min", "Apus", "99 %", "limit", "Linux", "Apus/Linux"))
        var isWithinLimits = true
        for row in Self.rows {
            guard let reading = apus[row.name] else {
                print(Self.line(row.title, "", "missing", "", "", "", ""))
                isWithinLimits = false
                continue
            }
            isWithinLimits = Self.show(row, reading, measured[row.name]) && isWithinLimits
        }
        print(isWithinLimits ? "all within their limits" : "some rows are over their limits (!)")
        return isWithinLimits
    }

    private static func show(_ row: Row, _ reading: Reading, _ rival: Reading?) -> Bool {
        let linux = rival?.median ?? row.linux
        let isWithin = row.limit.map { reading.median <= $0 } ?? true
        let percent = String(format: "%.0f %%", 100 * Double(reading.median) / Double(linux))
        print(
            line(
                row.title, "\(reading.least)", "\(reading.median)\(isWithin ? "" : "!")", "\(reading.late)",
                row.limit.map { "\($0)" } ?? "", "\(linux)\(rival == nil ? "r" : "")", percent))
        return isWithin
    }

    private static func line(_ cells: String...) -> String {
        let widths = [38, 8, 9, 8, 8, 9, 12]
        return zip(cells, widths).enumerated().map { index, cell in
            let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index == 0 ? cell.0 + padding : padding + cell.0
        }.joined()
    }

    private static func makeRamdisk() async throws {
        try Project.makeDirectory("build")
        _ = try await HostProgram("musl-gcc", ["-static", "-O2", "-o", program, source]).output()
        let tree = try FileTree(emptied: "build/bench-interrupts.d")
        try tree.makeDirectory("dev")
        try tree.copy(program, to: "init")
        try await tree.pack(as: ramdisk)
    }

    private static func measure(_ rival: LinuxKernel?) async throws -> [String: Reading] {
        guard let rival else { return [:] }
        return try await boot(
            rival.path, append: "quiet tsc=reliable nokaslr mitigations=off nopti", "linux")
    }

    private static func boot(_ kernel: String, append: String, _ name: String) async throws
        -> [String: Reading]
    {
        var machine = VirtualMachine()
        machine.cpus = 1
        machine.kernel = kernel
        machine.ramdisk = ramdisk
        machine.append = append
        machine.countsInstructions = true
        machine.console = .pipes
        // Not for Linux, which finds it by the firmware's tables and makes it the console.
        if kernel == Project.kernel { machine.extraArguments = VirtualMachine.testPort }
        let log = Project.log("bench-interrupts-\(name)")
        let outcome = try await ConsoleSession.run(machine, timeLimit: 300, log: log)
        let readings = readings(console: outcome.console)
        guard !readings.isEmpty else {
            throw ToolError("nothing was measured on \(kernel) (\(outcome.status)):\n\(outcome.lastLines())")
        }
        return readings
    }
}
