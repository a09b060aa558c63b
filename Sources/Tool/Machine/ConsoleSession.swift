// A machine that runs with its console in the hands of the tool: what it says is kept and logged,
// and a script may type on it and wait for answers, each with a time limit.
import Foundation
import Subprocess

/// How a machine that ran under the tool's eyes ended.
struct BootOutcome: Sendable {
    var status: GuestStatus
    /// All that it said, without carriage returns.
    var console: String
    /// Its time was up and it was ended.
    var isTimedOut: Bool
    var seconds: Double

    /// The last lines of the console, for a message of a failure.
    func lastLines(_ count: Int = 15) -> String {
        console.split(separator: "\n", omittingEmptySubsequences: false).suffix(count).joined(separator: "\n")
    }
}

/// The console of a running machine.
struct ConsoleSession: Sendable {
    let console: ConsoleText
    private let keyboard: StandardInputWriter

    /// Types the text as it is; a line ends with `\n`, Ctrl-C is `\u{3}`.
    func type(_ text: String) async throws {
        _ = try await keyboard.write(text)
    }

    /// Waits until the console has said `text` at or after byte `start`; returns the offset after it.
    /// Throws after `seconds`, or when the machine ends, showing what was said instead.
    func expect(_ text: String, from start: Int, within seconds: Double) async throws -> Int {
        let found = await withTaskGroup(of: Int?.self) { group in
            group.addTask { await console.wait(for: Array(text.utf8), from: start) }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        if let found { return found }
        let said = await console.text(from: start, to: .max).suffix(2000)
        throw ToolError(
            "expected \(text.debugDescription) within \(seconds) s, but the console said:\n\(said)")
    }

    /// Runs the machine, whose console must be `.pipes`, and `body` with its console; when `body`
    /// returns, waits for the machine to end. It is killed when `timeLimit`, in seconds, is over or
    /// `body` throws. The console is kept in the file `log`.
    static func run(
        _ machine: VirtualMachine, timeLimit: Double, log: String,
        body: @Sendable (ConsoleSession) async throws -> Void = { _ in }
    ) async throws -> BootOutcome {
        let console = ConsoleText()
        let start = ContinuousClock.now
        let failure = Captured<any Error>()
        let result = try await Subprocess.run(
            machine.program.configuration, input: .inputWriter, output: .sequence, error: .combinedWithOutput
        ) { execution -> Bool in
            let process = execution.processIdentifier.value
            RunningMachines.add(process)
            defer { RunningMachines.remove(process) }
            let session = ConsoleSession(console: console, keyboard: execution.standardInputWriter)
            return await withTaskGroup(of: Void.self) { group in
                group.addTask { await collect(execution.standardOutput, in: console) }
                let watchdog = Task {
                    try await Task.sleep(for: .seconds(timeLimit))
                    try execution.send(signal: .kill)
                }
                do {
                    try await body(session)
                } catch {
                    await failure.set(error)
                    try? execution.send(signal: .kill)
                }
                await group.waitForAll()
                watchdog.cancel()
                return (try? await watchdog.value) != nil
            }
        }
        let text = await console.text
        try text.write(toFile: log, atomically: true, encoding: .utf8)
        if let error = await failure.value { throw error }
        let seconds = start.duration(to: .now) / .seconds(1)
        return BootOutcome(
            status: GuestStatus(result.terminationStatus), console: text, isTimedOut: result.closureResult,
            seconds: seconds)
    }

    private static func collect(_ output: SubprocessOutputSequence, in console: ConsoleText) async {
        do {
            for try await buffer in output {
                await console.append(buffer.withUnsafeBytes { Array($0) })
            }
        } catch {
            Progress.warning("reading a console failed: \(error)")
        }
        await console.end()
    }
}

/// A value that one task leaves for another.
private actor Captured<Value: Sendable> {
    private(set) var value: Value?

    func set(_ value: Value) {
        self.value = value
    }
}
