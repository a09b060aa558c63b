// Programs of our own, built with musl, glibc and Swift, in the initial ramdisk.

struct ProgramStage: TestStage {
    let name = "programs"
    let summary = "user programs of musl, glibc, Swift and sh on 4 CPUs"
    var needsApus: Bool { false }

    /// How often a batch is booted anew after a program that took the kernel down with it.
    private static let maximumBoots = 6
    private static let timeLimit = 420.0

    func parts() async throws -> [String] { try TestProgram.all().map(\.name) }

    func run(_ parts: [String], in context: TestContext) async throws {
        let programs = try TestProgram.all().filter { parts.contains($0.name) }
        guard !programs.isEmpty else { throw ToolError("there are no programs in \(TestProgram.sources)") }
        let errors = try await TestProgram.build(programs)
        for (name, error) in errors.sorted(by: { $0.key < $1.key }) {
            await context.report.record(.failed(name, "does not compile:\n\(error)"))
        }
        let built = programs.filter { errors[$0.name] == nil }
        let halves = [built.filter { $0.kind == .musl }, built.filter { $0.kind != .musl }]
        let batches = zip(["programs-1", "programs-2"], halves).filter { !$0.1.isEmpty }
        try await concurrently(Array(batches)) { name, programs in
            try await Self.run(programs, as: name, in: context)
        }
    }

    /// Boots until each program has run. One that takes the kernel down fails, and the others run in
    /// a further boot.
    private static func run(_ programs: [TestProgram], as name: String, in context: TestContext) async throws
    {
        var remaining = programs
        for boot in 1...maximumBoots where !remaining.isEmpty {
            let outcome = try await Self.boot(remaining, as: "\(name).\(boot)", in: context)
            let output = ProgramOutput(console: outcome.console)
            for result in output.results { await context.report.record(result.cases) }
            let finished = Set(output.results.map(\.program))
            remaining.removeAll { finished.contains($0.name) }
            let end = end(of: outcome, output, isForeign: context.isForeignKernel)
            if end == nil && remaining.isEmpty { return }
            let culprit = output.unfinished ?? "\(name).\(boot)"
            await context.report.record(.failed("\(culprit)/ends", end ?? "some programs were not run"))
            remaining.removeAll { $0.name == culprit }
            if output.unfinished == nil { break }
        }
        for program in remaining { await context.report.record(.failed(program.name, "was not run")) }
    }

    private static func boot(
        _ programs: [TestProgram], as name: String, in context: TestContext
    ) async throws -> BootOutcome {
        var machine = VirtualMachine()
        machine.memory = "512"
        machine.kernel = context.kernel
        machine.ramdisk = try await ProgramRamdisk.make(name, running: programs)
        let initWord = context.isForeignKernel ? "quiet panic=-1 no5lvl rdinit" : "init"
        machine.append = "quiet \(initWord)=\(ProgramRamdisk.initPath)"
        machine.console = .pipes
        return try await ConsoleSession.run(machine, timeLimit: timeLimit, log: Project.log(name))
    }

    /// Why the boot did not end as it should have, or nil. A foreign kernel panics when init exits.
    private static func end(of outcome: BootOutcome, _ output: ProgramOutput, isForeign: Bool) -> String? {
        let hasFailures = output.results.contains { $0.cases.contains(where: \.isFailed) }
        let isExpected = isForeign || outcome.status == .exited(hasFailures ? 1 : 0)
        if output.isComplete && isExpected && !outcome.isTimedOut { return nil }
        let why = outcome.isTimedOut ? "hung: ended after \(Int(outcome.seconds)) s" : "\(outcome.status)"
        return why + "; the console's last lines:\n" + outcome.lastLines()
    }
}
