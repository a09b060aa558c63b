// The buttons and keys that end a machine: the power button and Ctrl-Alt-Del, with no program that listens for them.

struct ButtonStage: TestStage {
    let name = "buttons"
    let summary = "the power button and Ctrl-Alt-Del end the system in order"

    /// A way to press something, and what must come of it.
    private struct Press: Sendable {
        var name: String
        var type: MachineType
        var command: String
        var arguments = "{}"
        var expected: [String]
    }

    private static let presses = [
        Press(
            name: "power-button-q35", type: .q35, command: "system_powerdown",
            expected: ["ACPI: power button pressed", "Sent SIGTERM", "reboot: Power down"]),
        Press(
            name: "power-button-pc", type: .pc, command: "system_powerdown",
            expected: ["ACPI: power button pressed", "Sent SIGTERM", "reboot: Power down"]),
        Press(
            name: "control-alt-delete", type: .q35, command: "send-key",
            arguments: "{\"keys\":["
                + ["ctrl", "alt", "delete"].map { "{\"type\":\"qcode\",\"data\":\"\($0)\"}" }
                .joined(separator: ",") + "]}",
            expected: ["Sent SIGTERM", "reboot: Restarting system"]),
    ]

    func parts() async throws -> [String] { Self.presses.map(\.name) }

    func run(_ parts: [String], in context: TestContext) async throws {
        let ramdisk = try await BusyboxRamdisk.make()
        try await concurrently(Self.presses.filter { parts.contains($0.name) }) { press in
            let socket = "build/\(press.name).qmp"
            var machine = VirtualMachine()
            machine.type = press.type
            machine.cpus = 2
            machine.kernel = context.kernel
            machine.ramdisk = ramdisk
            machine.console = .pipes
            machine.extraArguments = MachineControl.arguments(socket)
            let outcome = try await ConsoleSession.run(machine, timeLimit: 90, log: Project.log(press.name)) {
                let control = try await MachineControl(path: socket)
                // Init has told by then what it wants of Ctrl-Alt-Del.
                _ = try await $0.expect(":~# ", from: 0, within: 60)
                try await control.run(press.command, press.arguments)
            }
            var complaints = press.expected.filter { !outcome.console.contains($0) }.map {
                "the console was to say \($0.debugDescription)"
            }
            if outcome.isTimedOut { complaints.append("hung; the last lines:\n" + outcome.lastLines()) }
            await context.report.record(
                complaints.isEmpty
                    ? .passed(press.name) : .failed(press.name, complaints.joined(separator: "; ")))
        }
    }
}
