// `./apus bench`
import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the kernel in executed guest instructions, beside Debian's Linux.",
        subcommands: [BootBenchCommand.self, InterruptBenchCommand.self])
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

    @Option(
        name: .long, help: "The Linux to measure (a vmlinuz) instead of Debian's current kernel.",
        completion: .file())
    var linux: String?

    func run() async throws {
        try await Report.errors {
            try Project.enter()
            RunningMachines.endWithTool()
            try await HostPackages.install(for: .testing)
            try await BuildCommand.build()
            let rival = try await LinuxKernel.find(linux.map(Project.userPath))
            guard try await BootBench(rival: rival).run() else { throw ExitCode.failure }
        }
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

    @Option(
        name: .long, help: "The Linux to measure (a vmlinuz) instead of Debian's current kernel.",
        completion: .file())
    var linux: String?

    func run() async throws {
        try await Report.errors {
            try Project.enter()
            RunningMachines.endWithTool()
            try await HostPackages.install(for: .testing)
            try await BuildCommand.build()
            let rival = try await LinuxKernel.find(linux.map(Project.userPath))
            guard try await InterruptBench(rival: rival).run() else { throw ExitCode.failure }
        }
    }
}
