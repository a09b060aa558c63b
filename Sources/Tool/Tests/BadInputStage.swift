// Bad input gets a clear message, and a status that `./apus run` passes on.

struct BadInputStage: TestStage {
    let name = "bad-input"
    let summary = "boots with something wrong: each has its message and its status"

    func parts() async throws -> [String] { BadInput.all.map(\.name) }

    func run(_ parts: [String], in context: TestContext) async throws {
        try await BadRamdisk.make()
        try await concurrently(BadInput.all.filter { parts.contains($0.name) }) { input in
            var machine = VirtualMachine()
            machine.cpus = 2
            machine.memory = input.memory
            machine.kernel = context.kernel
            machine.ramdisk = input.ramdisk.path
            machine.append = input.append
            machine.console = .pipes
            let outcome = try await ConsoleSession.run(
                machine, timeLimit: 60, log: Project.log("bad-input-\(input.name)"))
            let why = Self.failure(of: outcome, for: input)
            await context.report.record(why.map { .failed(input.name, $0) } ?? .passed(input.name))
        }
    }

    /// What is wrong with how the boot went; nil when all is as it should be. An exception of the
    /// kernel is never right, whatever the message was.
    static func failure(of outcome: BootOutcome, for input: BadInput) -> String? {
        var complaints: [String] = []
        if outcome.isTimedOut { complaints.append("hung") }
        if !outcome.console.contains(input.message) {
            complaints.append("the console was to say \(input.message.debugDescription)")
        }
        if outcome.status != input.status && !outcome.isTimedOut {
            complaints.append("\(outcome.status), but should have been: \(input.status)")
        }
        if complaints.isEmpty { return nil }
        return complaints.joined(separator: "; ") + "; the console's last lines:\n" + outcome.lastLines()
    }
}
