// `./apus soak`
import ArgumentParser

struct SoakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "All devices, or all deferred work, at once for a while, counted at both ends.",
        discussion: """
            Boots 4 CPUs. The host types keys, moves the mouse and sends bytes; a program in the guest reads them, a \
            disk, and the clock at 8192 Hz, and sleeps 1 ms at a time on each CPU. The counts of host, emulated \
            devices, kernel and program must be equal; the status is 1 if they are not.

            With --deferred, soft IRQs, tasklets, works and delayed works are scheduled, run and taken back on all \
            CPUs under load instead, and the kernel counts each of them in and out.
            """)

    @Option(name: .long, help: "How long, in seconds.")
    var seconds = 600

    @Option(name: .long, help: "QEMU's machine type, pc or q35.")
    var machine = MachineType.q35

    @Flag(name: .long, help: "Soft IRQs, tasklets and works instead of devices.")
    var deferred = false

    func validate() throws {
        guard (1...86400).contains(seconds) else { throw ValidationError("--seconds takes 1 to 86400") }
        guard deferred || machine != .microvm else { throw ValidationError("a microvm has no keyboard") }
    }

    func run() async throws {
        try await Report.errors {
            try Project.enter()
            RunningMachines.endWithTool()
            try await HostPackages.install(for: .testing)
            try await BuildCommand.build()
            Progress.step("soaking for \(seconds) s")
            let result = try await soak()
            for line in result.table { print(line) }
            for complaint in result.complaints { Progress.step("error: \(complaint)") }
            guard result.complaints.isEmpty else { throw ExitCode.failure }
        }
    }

    private func soak() async throws -> SoakResult {
        if deferred {
            let soak = DeferredSoak(seconds: seconds, kernel: Project.kernel, type: machine)
            return try await soak.run(log: Project.log("soak-deferred-\(seconds)"))
        }
        let soak = Soak(seconds: seconds, kernel: Project.kernel, type: machine)
        return try await soak.run(log: Project.log("soak-\(seconds)"))
    }
}
