// What the kernel cannot survive ends in a report that can be read, on whatever stack it happens.
import Foundation

struct CrashStage: TestStage {
    let name = "crashes"
    let summary = "boots that break the kernel on purpose: each ends in a readable report"

    /// A way to break the kernel (Sources/KernelTests/Crash.swift), and what the report must say.
    struct Crash: Sendable {
        var name: String
        var message: String
        /// What else must stand in the report.
        var details: [String] = []

        static let ending = "---[ end Kernel panic ]---"
    }

    static let crashes = [
        Crash(name: "early-exception", message: "Kernel panic: exception 0x0000000000000006 before"),
        Crash(
            name: "early-double-fault", message: "Kernel panic: double fault", details: ["machine_lose_stack"]
        ),
        Crash(
            name: "boot-stack", message: "stack overflow: boot stack",
            details: ["Call trace:", "machine_overflow_stack"]),
        Crash(
            name: "panic", message: "Kernel panic: this is a test", details: ["Comm: init", "Call trace:"]),
        Crash(
            name: "locked", message: "Kernel panic: invalid opcode in kernel mode",
            details: ["Comm: init", "Code:", "<0f> 0b", "machine_raise_invalid_opcode", "CPU: 1"]),
        Crash(
            name: "interrupt", message: "Kernel panic: invalid opcode in kernel mode",
            details: ["machine_raise_invalid_opcode", "<interrupted>"]),
        Crash(
            name: "nesting", message: "Kernel panic: invalid opcode in kernel mode",
            details: ["interrupt_nested_too_deep", "<interrupted>"]),
        overflow("thread-stack", "kernel stack of a thread"),
        overflow("interrupt-stack", "interrupt stack of CPU"),
        overflow("soft-interrupt-stack", "soft interrupt stack of CPU"),
        overflow("nmi-stack", "NMI stack of CPU"),
        Crash(name: "debug-stack", message: "stack overflow: debug exception stack of CPU"),
        Crash(name: "machine-check-stack", message: "stack overflow: machine check stack of CPU"),
        Crash(name: "double-fault-stack", message: "Kernel panic: double fault that cannot be handled"),
        Crash(name: "double-fault", message: "Kernel panic: double fault in kernel mode"),
        Crash(name: "machine-check", message: "Kernel panic: machine check"),
    ]

    private static func overflow(_ name: String, _ owner: String) -> Crash {
        Crash(
            name: name, message: "stack overflow: \(owner)",
            details: ["Call trace:", "machine_overflow_stack", "CPU:"])
    }

    func parts() async throws -> [String] { Self.crashes.map(\.name) }

    func run(_ parts: [String], in context: TestContext) async throws {
        let ramdisk = try await BusyboxRamdisk.make()
        try await concurrently(Self.crashes.filter { parts.contains($0.name) }) { crash in
            var machine = VirtualMachine()
            machine.cpus = 2
            machine.kernel = context.kernel
            machine.ramdisk = ramdisk
            machine.append = "apus.crash=\(crash.name)"
            machine.console = .pipes
            let outcome = try await ConsoleSession.run(
                machine, timeLimit: 60, log: Project.log("crash-\(crash.name)"))
            let why = Self.failure(of: outcome, for: crash)
            await context.report.record(why.map { .failed(crash.name, $0) } ?? .passed(crash.name))
        }
    }

    /// What is wrong with how the boot ended; nil when all is as it should be.
    static func failure(of outcome: BootOutcome, for crash: Crash) -> String? {
        var complaints: [String] = []
        if outcome.isTimedOut { complaints.append("hung") }
        for text in [crash.message, Crash.ending] + crash.details where !outcome.console.contains(text) {
            complaints.append("the console was to say \(text.debugDescription)")
        }
        let reports = outcome.console.components(separatedBy: "Kernel panic: ").count - 1
        if reports != 1 { complaints.append("\(reports) reports instead of one") }
        if !outcome.isTimedOut, outcome.status != .panicked { complaints.append("\(outcome.status)") }
        if complaints.isEmpty { return nil }
        return complaints.joined(separator: "; ") + "; the console's last lines:\n" + outcome.lastLines(25)
    }
}
