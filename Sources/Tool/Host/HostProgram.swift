// Running programs of the host: their output collected, streamed by the line, or left to the user.
import Subprocess

/// A program of the host with its arguments and what is added to its environment.
struct HostProgram: Sendable {
    var name: String
    var arguments: [String]
    var environment: [String: String] = [:]

    init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) {
        self.name = name
        self.arguments = arguments
        self.environment = environment
    }

    /// How the program ended, and what it wrote.
    struct Outcome: Sendable {
        var status: TerminationStatus
        var output: String
        var isSuccess: Bool { status.isSuccess }
    }

    /// The command as the user would type it.
    var commandLine: String {
        ([name] + arguments).map(Self.quoted).joined(separator: " ")
    }

    var configuration: Configuration {
        var updates: [Environment.Key: String?] = [:]
        for (key, value) in environment { updates[Environment.Key(stringLiteral: key)] = value }
        let executable: Executable = name.contains("/") ? .path(.init(name)) : .name(name)
        return Configuration(
            executable: executable, arguments: Arguments(arguments), environment: .inherit.updating(updates))
    }

    /// Runs it with nothing to read; returns both of its outputs, merged, and its status.
    func collect(input: String = "") async throws -> Outcome {
        let result = try await Subprocess.run(
            configuration, input: .string(input), output: .string(limit: 1 << 28),
            error: .combinedWithOutput)
        return Outcome(status: result.terminationStatus, output: result.standardOutput)
    }

    /// Runs it with nothing to read; returns its standard output. Its failure is an error that
    /// shows what it wrote.
    func output(input: String = "") async throws -> String {
        let result = try await Subprocess.run(
            configuration, input: .string(input), output: .string(limit: 1 << 28),
            error: .string(limit: 1 << 24))
        guard result.terminationStatus.isSuccess else {
            throw ToolError("\(commandLine) failed (\(result.terminationStatus)):\n\(result.standardError)")
        }
        return result.standardOutput
    }

    /// Runs it with nothing to read and hands over each line that it writes, as it writes it.
    func lines(_ body: (String) async throws -> Void) async throws -> TerminationStatus {
        let result = try await Subprocess.run(
            configuration, input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            for try await line in execution.standardOutput.strings() { try await body(line) }
        }
        return result.terminationStatus
    }

    /// Runs it on the user's own terminal.
    func onTerminal() async throws -> TerminationStatus {
        try await Subprocess.run(
            configuration, input: .currentStandardInput, output: .currentStandardOutput,
            error: .currentStandardError
        ).terminationStatus
    }

    /// Whether a program of this name is on the path.
    static func exists(_ name: String) async -> Bool {
        (try? await Executable.name(name).resolveExecutablePath(in: .inherit)) != nil
    }

    private static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || "-_=+,./:@%".contains($0) }
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
