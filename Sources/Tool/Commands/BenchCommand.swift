// `./apus bench`
import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the kernel in executed guest instructions, beside Debian's Linux.",
        subcommands: [
            BootBenchCommand.self, InterruptBenchCommand.self, CrossCPUBenchCommand.self,
            DeferredBenchCommand.self, TimeBenchCommand.self, WheelBenchCommand.self,
        ])

    /// Prepares everything, runs a bench, and ends with status 1 if it says that a limit is not kept.
    static func measure(_ bench: () async throws -> Bool) async throws {
        try await Report.errors {
            try Project.enter()
            RunningMachines.endWithTool()
            try await HostPackages.install(for: .testing)
            try await BuildCommand.build()
            guard try await bench() else { throw ExitCode.failure }
        }
    }
}

/// Which Linux is measured beside Apus.
struct RivalOptions: ParsableArguments {
    @Option(
        name: .long, help: "The Linux to measure (a vmlinuz) instead of Debian's current kernel.",
        completion: .file())
    var linux: String?

    func kernel() async throws -> LinuxKernel? { try await LinuxKernel.find(linux.map(Project.userPath)) }
}

struct BootBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boot",
        abstract: "Instructions from the kernel's entry to the first instruction of init.",
        discussion: """
            Both kernels boot the same ramdisks on the same machine, 1 CPU under QEMU's -icount shift=0, where \
            the time-stamp counter is the number of instructions executed. Linux is counted from the moment \
            when its clock starts, which leaves out its decompression. The status is 1 when Apus needs more \
            than \(BootBench.limitPercent) % of what Linux needs with a ramdisk of init alone.
            """)

    @OptionGroup var rival: RivalOptions

    func run() async throws {
        try await BenchCommand.measure { try await BootBench(rival: try await rival.kernel()).run() }
    }
}

struct InterruptBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interrupts",
        abstract: "Instructions per operation of interrupts, faults, system calls and signals.",
        discussion: """
            1 CPU under QEMU's -icount shift=0. What a user program can measure is measured on both kernels; what \
            only the kernel can, on Apus, beside recorded figures of Linux. The status is 1 when a row is over its \
            limit.
            """)

    @OptionGroup var rival: RivalOptions

    func run() async throws {
        try await BenchCommand.measure { try await InterruptBench(rival: try await rival.kernel()).run() }
    }
}

struct CrossCPUBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crosscpu",
        abstract: "Instructions per operation of calls between CPUs, TLB shootdown and switches.",
        discussion: """
            Several CPUs under QEMU's -icount shift=0, beside recorded figures of Linux. The status is 1 when a row is \
            over its limit with 4 CPUs.
            """)

    @Option(name: .long, help: "How many CPUs.")
    var cpus = 4

    @Flag(name: .long, help: "Only the cost of calls and shootdowns with 2, 4, 8 and 64 CPUs.")
    var scaling = false

    func validate() throws {
        guard (2...64).contains(cpus) else { throw ValidationError("--cpus must be 2 to 64") }
    }

    func run() async throws {
        try await BenchCommand.measure {
            if scaling { return try await CrossCPUBench.scale() }
            return try await CrossCPUBench(cpus: cpus).run()
        }
    }
}

struct DeferredBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deferred",
        abstract: "Instructions per operation of soft IRQs, tasklets and work queues.",
        discussion: """
            1 CPU under QEMU's -icount shift=0, beside recorded figures of Linux. The status is 1 when a row is over its \
            limit.
            """)

    func run() async throws {
        try await BenchCommand.measure { try await DeferredBench.run() }
    }
}

struct TimeBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "time",
        abstract: "Instructions per operation of clocks and timers.",
        discussion: """
            1 CPU under QEMU's -icount shift=0, beside recorded figures of Linux. The status is 1 when a row is over its \
            limit.
            """)

    func run() async throws {
        try await BenchCommand.measure { try await TimeBench.run() }
    }
}

struct WheelBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wheel",
        abstract: "Instructions per operation of the library TimerWheel on this host, counted by valgrind.",
        discussion: """
            The status is 1 when an operation of TimerWheel is over its limit with one of the distributions of distances. \
            The figures include the loop around the operation.
            """)

    @Option(name: .long, help: "How many other timers are pending.")
    var pending: [Int] = [1000, 100_000]

    func run() async throws {
        try await Report.errors {
            try Project.enter()
            guard try await WheelBench(pending: pending).run() else { throw ExitCode.failure }
        }
    }
}
