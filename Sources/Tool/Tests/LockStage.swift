// The kernel with the watch over locks (Sources/Primitives/Lockdep): its suites, which provoke each report on purpose, and
// user programs, which must provoke none.

struct LockStage: TestStage {
    let name = "locks"
    let summary = "the kernel that watches its locks: order, interrupts, sleeping, interrupts off for long"
    var bootsKernel: Bool { false }

    /// Begins each line of a report (Sources/Primitives/Lockdep/LockReport.swift).
    private static let mark = "lockdep: CPU"
    /// On 4 CPUs the host's own delays are in each time: only what hangs is reported there.
    private static let patience = "apus.irqsoff=2000"
    private static let suites = "suites"
    private static let order = "programs"
    private static let sections = "sections"

    /// What does most with locks.
    private static let programs = [
        "musl/threads", "musl/process-fork", "musl/process-exec", "musl/pipe", "musl/futex", "musl/poll",
        "musl/memory-share", "musl/signal-actions", "musl/file-names", "musl/file-io", "musl/tty",
        "musl/time",
        "musl/scheduler", "musl/cpu-hotplug", "musl/proc-files",
    ]
    /// What is measured on one CPU in executed instructions, so that the host's delays are in no time.
    private static let measured = [
        "musl/process-fork", "musl/pipe", "musl/memory-map", "musl/file-names", "musl/signal-actions",
    ]

    func parts() async throws -> [String] { [Self.suites, Self.order, Self.sections] }

    func run(_ parts: [String], in context: TestContext) async throws {
        try await KernelBuild.watchingLocks.build()
        try await concurrently(parts) { part in
            switch part {
            case Self.suites: try await Self.runSuites(in: context)
            case Self.order: try await Self.run(Self.programs, as: part, cpus: 4, Self.patience, in: context)
            default: try await Self.run(Self.measured, as: part, cpus: 1, nil, in: context)
            }
        }
    }

    private static func runSuites(in context: TestContext) async throws {
        let boot = SuiteStage.Boot(type: .q35, cpus: 4, words: patience)
        let machine = SuiteStage.machine(for: boot, Project.lockKernel, try await BusyboxRamdisk.make())
        let outcome = try await ConsoleSession.run(machine, timeLimit: 200, log: Project.log("locks-suites"))
        let cases = SuiteStage.cases(of: outcome)
        await context.report.record(cases.map { TestCase(name: "\(suites)/\($0.name)", verdict: $0.verdict) })
    }

    /// Runs programs; `append` nil counts instructions.
    private static func run(
        _ names: [String], as part: String, cpus: Int, _ append: String?, in context: TestContext
    ) async throws {
        let programs = try TestProgram.all().filter { names.contains($0.name) }
        for (name, error) in try await TestProgram.build(programs) {
            throw ToolError("\(name) does not compile:\n\(error)")
        }
        var machine = VirtualMachine()
        machine.cpus = cpus
        machine.memory = "512"
        machine.kernel = Project.lockKernel
        machine.ramdisk = try await ProgramRamdisk.make("locks-\(part)", running: programs)
        machine.countsInstructions = append == nil
        machine.append = "init=\(ProgramRamdisk.initPath)" + (append.map { " " + $0 } ?? "")
        machine.console = .pipes
        let outcome = try await ConsoleSession.run(machine, timeLimit: 240, log: Project.log("locks-\(part)"))
        await context.report.record(verdict(of: outcome, part))
        await context.report.note("\(part): \(programs.count) programs in \(Int(outcome.seconds)) s")
    }

    /// Whether the programs ran to the end of the list and nothing was reported; that they pass is another stage's business.
    static func verdict(of outcome: BootOutcome, _ part: String) -> TestCase {
        if let report = outcome.console.range(of: mark) {
            return .failed(part, "a report:\n" + outcome.console[report.lowerBound...].prefix(3000))
        }
        guard ProgramOutput(console: outcome.console).isComplete else {
            return .failed(part, "did not end; the console's last lines:\n" + outcome.lastLines())
        }
        return .passed(part)
    }
}
