// The programs that CPUs play the main part in, on the machines where the other programs do not run.

struct CrossCPUStage: TestStage {
    let name = "crosscpu"
    let summary = "CPUs that come and go, and stale translations, on other machines and on 8 CPUs"

    private struct Boot {
        var type: MachineType
        var cpus: Int
        var name: String { "\(type.rawValue)-\(cpus)cpu" }
    }

    private static let boots = [
        Boot(type: .pc, cpus: 4), Boot(type: .microvm, cpus: 4), Boot(type: .q35, cpus: 8),
    ]
    private static let programs = ["cpu-hotplug", "tlb-stale"]
    private static let timeLimit = 120.0

    func parts() async throws -> [String] { Self.boots.map(\.name) }

    func run(_ parts: [String], in context: TestContext) async throws {
        let programs = try TestProgram.all().filter { Self.programs.contains($0.title) }
        for (name, error) in try await TestProgram.build(programs) {
            throw ToolError("\(name) does not compile:\n\(error)")
        }
        let ramdisk = try await ProgramRamdisk.make("programs-crosscpu", running: programs)
        try await concurrently(Self.boots.filter { parts.contains($0.name) }) { boot in
            var machine = VirtualMachine()
            machine.type = boot.type
            machine.cpus = boot.cpus
            machine.kernel = context.kernel
            machine.ramdisk = ramdisk
            // The long turns are those of the stage "programs"; these words become the programs' environment.
            machine.append = "quiet init=\(ProgramRamdisk.initPath) TURNS=8 SECONDS=1"
            machine.console = .pipes
            let outcome = try await ConsoleSession.run(
                machine, timeLimit: Self.timeLimit, log: Project.log("crosscpu-\(boot.name)"))
            await Self.record(outcome, boot, of: programs.count, in: context)
        }
    }

    private static func record(
        _ outcome: BootOutcome, _ boot: Boot, of count: Int, in context: TestContext
    ) async {
        let output = ProgramOutput(console: outcome.console)
        for result in output.results {
            await context.report.record(
                result.cases.map { TestCase(name: "\(boot.name)/\($0.name)", verdict: $0.verdict) })
        }
        if !output.isComplete || output.results.count != count || outcome.isTimedOut {
            let why = "\(output.results.count) of \(count) programs ran; the console's last lines:\n"
            await context.report.record(.failed("\(boot.name)/ends", why + outcome.lastLines()))
        }
        await context.report.note("\(boot.name): \(Int(outcome.seconds)) s")
    }
}
