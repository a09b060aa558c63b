// Debian's busybox driven through a script at its prompt, and the ways to leave it.

struct PromptStage: TestStage {
    let name = "prompt"
    let summary = "busybox driven over the serial line: at the shell, how to leave it, other machines"
    var needsApus: Bool { false }

    private static let session = PromptScript.steps.map { "shell/\($0.name)" }
    private static let endings = ["poweroff", "reboot", "halt"]

    func parts() async throws -> [String] {
        Self.session + Self.endings + PromptBoot.all.map { "boots/\($0.name)" }
    }

    func run(_ parts: [String], in context: TestContext) async throws {
        let ramdisk = try await BusyboxRamdisk.make()
        let session = parts.contains { $0.hasPrefix("shell/") } ? ["shell"] : []
        let boots = parts.filter { $0.hasPrefix("boots/") }
        try await concurrently(session + Self.endings.filter(parts.contains) + boots) { boot in
            var machine = VirtualMachine()
            machine.kernel = context.kernel
            machine.ramdisk = ramdisk
            machine.console = .pipes
            machine.append = context.isForeignKernel ? "quiet" : ""
            if boot == "shell" {
                try await Self.shell(parts, on: machine, in: context)
            } else if let other = PromptBoot.all.first(where: { boot == "boots/\($0.name)" }) {
                await context.report.record(await other.result(on: machine))
            } else {
                await context.report.record(await Self.ending(boot, on: machine))
            }
        }
    }

    /// Boots to the prompt and does the steps in order. After a step that fails the shell is got
    /// back, if it can be, for the next one.
    private static func shell(
        _ parts: [String], on machine: VirtualMachine, in context: TestContext
    ) async throws {
        let steps = PromptScript.steps.filter { parts.contains("shell/\($0.name)") }
        let log = Project.log("prompt-shell")
        do {
            let outcome = try await ConsoleSession.run(machine, timeLimit: 400, log: log) { session in
                let prompt = Prompt(session)
                try await prompt.awaitPrompt(within: 90)
                for step in steps { await context.report.record(await result(of: step, at: prompt)) }
                try await prompt.enter("poweroff")
            }
            let ends = TestCase.passed("shell/ends")
            await context.report.record(
                outcome.status == .poweredOff
                    ? ends : .failed("shell/ends", "\(outcome.status)\n\(outcome.lastLines())"))
        } catch {
            await context.report.record(.failed("shell/ends", "\(error)\n(the console is in \(log))"))
        }
    }

    private static func result(of step: PromptStep, at prompt: Prompt) async -> TestCase {
        do {
            try await step.action(prompt)
            return .passed("shell/\(step.name)")
        } catch {
            try? await prompt.press("\u{3}\u{3}\n")
            try? await prompt.settle()
            return .failed("shell/\(step.name)", "\(error)")
        }
    }

    /// Boots to the prompt and leaves it by this command.
    private static func ending(_ command: String, on machine: VirtualMachine) async -> TestCase {
        do {
            let log = Project.log("prompt-\(command)")
            let outcome = try await ConsoleSession.run(machine, timeLimit: 120, log: log) { session in
                let prompt = Prompt(session)
                try await prompt.awaitPrompt(within: 90)
                try await prompt.enter(command)
                guard command == "halt" else { return }
                try await prompt.expect(KernelMessage.halted, within: 30)
                throw Halted()
            }
            if outcome.status == .poweredOff && command != "halt" { return .passed(command) }
            return .failed(command, "\(outcome.status)\n\(outcome.lastLines())")
        } catch is Halted {
            return .passed(command)
        } catch {
            return .failed(command, "\(error)")
        }
    }

    /// The machine halted, and was ended.
    private struct Halted: Error {}
}
