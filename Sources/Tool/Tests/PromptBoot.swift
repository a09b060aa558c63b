// Boots to the prompt and off again on machines other than the one that the script runs on.
import Foundation

/// A machine on which the shell must come up with the right number of CPUs.
struct PromptBoot: Sendable {
    var name: String
    var type = MachineType.q35
    var cpus = 2
    /// How many CPUs `nproc` is to count; nil for all.
    var expectedCPUs: Int?
    var append = ""
    var memory = "256"
    var isPlain = false
    /// What the kernel's log must say besides.
    var message: String?

    static let all = [
        PromptBoot(name: "plain-qemu", cpus: 4, isPlain: true),
        PromptBoot(name: "pc", type: .pc), PromptBoot(name: "microvm", type: .microvm),
        PromptBoot(name: "1-cpu", cpus: 1), PromptBoot(name: "8-cpus", cpus: 8),
        PromptBoot(name: "64-cpus", cpus: 64, memory: "512"),
        PromptBoot(name: "maxcpus", cpus: 4, expectedCPUs: 2, append: "maxcpus=2"),
        PromptBoot(
            name: "cpu-does-not-answer", cpus: 4, expectedCPUs: 3, append: "apus.deaf=2",
            message: "smp: CPU 2 (APIC 2) does not answer and is left out"),
        PromptBoot(name: "memory-32M", memory: "32"), PromptBoot(name: "memory-3G", memory: "3G"),
    ]

    /// Boots, asks the shell who it is, and powers off. `machine` names kernel and ramdisk.
    func result(on machine: VirtualMachine) async -> TestCase {
        var machine = machine
        machine.type = type
        machine.cpus = cpus
        machine.memory = memory
        machine.isPlain = isPlain
        machine.append = [machine.append, append].filter { !$0.isEmpty }.joined(separator: " ")
        let expected = expectedCPUs ?? cpus
        do {
            let log = Project.log("prompt-boots-\(name)")
            let limit = cpus > 8 ? 300.0 : 120.0
            let outcome = try await ConsoleSession.run(machine, timeLimit: limit, log: log) { session in
                let prompt = Prompt(session)
                try await prompt.awaitPrompt(within: limit * 0.75)
                try await prompt.run("uname -a", matching: "apus .*x86_64")
                try await prompt.run("nproc", matching: "^\(expected)\n")
                if let message {
                    try await prompt.run(
                        "dmesg | grep smp:", matching: NSRegularExpression.escapedPattern(for: message))
                }
                try await prompt.enter("poweroff")
            }
            guard outcome.status == .poweredOff else {
                throw ToolError("\(outcome.status)\n\(outcome.lastLines())")
            }
            return .passed("boots/\(name)")
        } catch {
            return .failed("boots/\(name)", "\(error)")
        }
    }
}
