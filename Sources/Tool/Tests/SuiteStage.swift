// The tests inside the kernel: booted with `apus.test=1` it runs its suites, prints KTAP on the
// serial line, and powers off through the exit device with status 0 when all passed.

struct SuiteStage: TestStage {
    let name = "suites"
    let summary = "in-kernel tests at boot, on each machine type and several numbers of CPUs"

    /// A machine to run the suites on.
    struct Boot {
        var type: MachineType
        var cpus: Int
        /// Further words of the command line, as in its name.
        var words = ""
        var name: String { "\(type.rawValue)-\(cpus)cpu" + (words.isEmpty ? "" : "-" + words) }
    }

    private static let boots = [
        Boot(type: .q35, cpus: 1), Boot(type: .q35, cpus: 2), Boot(type: .q35, cpus: 4),
        Boot(type: .pc, cpus: 2), Boot(type: .microvm, cpus: 2),
        Boot(type: .q35, cpus: 2, words: "noapic"),
        Boot(type: .q35, cpus: 8), Boot(type: .q35, cpus: 64),
    ]

    func parts() async throws -> [String] { Self.boots.map(\.name) }

    func run(_ parts: [String], in context: TestContext) async throws {
        let boots = Self.boots.filter { parts.contains($0.name) }
        let ramdisk = try await BusyboxRamdisk.make()
        try await concurrently(boots) { boot in
            let machine = Self.machine(for: boot, context.kernel, ramdisk)
            let outcome = try await ConsoleSession.run(
                machine, timeLimit: boot.cpus > 8 ? 300 : 150, log: Project.log("suites-\(boot.name)"))
            let cases = Self.cases(of: outcome)
            await context.report.record(
                cases.map { TestCase(name: "\(boot.name)/\($0.name)", verdict: $0.verdict) })
            await context.report.note("\(boot.name): \(cases.count) cases in \(Int(outcome.seconds)) s")
        }
    }

    /// The machine with the devices that the suites need.
    static func machine(for boot: Boot, _ kernel: String, _ ramdisk: String) -> VirtualMachine {
        var machine = VirtualMachine()
        machine.type = boot.type
        machine.cpus = boot.cpus
        machine.memory = boot.cpus > 8 ? "512" : "256"
        machine.kernel = kernel
        machine.ramdisk = ramdisk
        machine.append = "apus.test=1" + (boot.words.isEmpty ? "" : " " + boot.words)
        machine.extraArguments = VirtualMachine.testPort
        // Raises messages (Sources/KernelTests/MessagesSuite.swift); a microvm has no PCI bus.
        if boot.type != .microvm { machine.extraArguments += ["-device", "edu"] }
        machine.console = .pipes
        return machine
    }

    /// The cases that the kernel reported, and one of its own for how the boot ended.
    static func cases(of outcome: BootOutcome) -> [TestCase] {
        var parser = TapParser()
        for line in outcome.console.split(separator: "\n") { parser.take(line) }
        let hasBegun = parser.hasBegun
        let cases = parser.finish()
        let hasFailures = cases.contains(where: \.isFailed)
        let expected: [GuestStatus] = hasFailures ? [.exited(1)] : [.exited(0), .poweredOff]
        if !outcome.isTimedOut, hasBegun, !cases.isEmpty, expected.contains(outcome.status) {
            return cases + [.passed("ends")]
        }
        let why =
            outcome.isTimedOut
            ? "hung: ended after \(Int(outcome.seconds)) s"
            : !hasBegun
                ? "no KTAP on the console (\(outcome.status))"
                : "ended wrongly: \(outcome.status)"
        return cases + [.failed("ends", why + "; the console's last lines:\n" + outcome.lastLines())]
    }
}
