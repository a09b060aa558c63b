// A shell prompt on a guest's console, and what a user does at one.

/// The shell of the busybox ramdisk. Commands are typed one at a time; what one says is the text
/// from the end of its echo to the next prompt.
actor Prompt {
    /// What the shell says when it waits for a command, in root's home directory.
    static let text = "apus:~# "

    private let session: ConsoleSession
    /// Everything before this byte of the console was dealt with.
    private var position = 0

    init(_ session: ConsoleSession) {
        self.session = session
    }

    /// Waits for the prompt.
    func awaitPrompt(within seconds: Double = 20) async throws {
        _ = try await expect(Self.text, within: seconds)
    }

    /// Types a line and waits for the next prompt; returns what was said in between. The line must
    /// fit in one row of the terminal with the prompt, or the shell's echo would be wrapped.
    @discardableResult
    func run(_ line: String, within seconds: Double = 20) async throws -> String {
        precondition(line.utf8.count < 70, "too long for the terminal: \(line)")
        try await enter(line)
        let start = position
        let end = try await expect(Self.text, within: seconds)
        return await session.console.text(from: start, to: end - Self.text.utf8.count)
    }

    /// Types a line and waits for its echo only.
    func enter(_ line: String) async throws {
        try await session.type(line + "\n")
        _ = try await expect(line, within: 20)
        _ = try await expect("\n", within: 20)
    }

    /// Types keys without an end of line.
    func press(_ keys: String) async throws {
        try await session.type(keys)
    }

    /// Waits until the console says `text`; returns the offset after it.
    @discardableResult
    func expect(_ text: String, within seconds: Double = 20) async throws -> Int {
        position = try await session.expect(text, from: position, within: seconds)
        return position
    }

    /// After something went wrong: passes over all that was said, and makes sure that the shell
    /// answers.
    func settle() async throws {
        try await Task.sleep(for: .seconds(1))
        position = await session.console.count
        try await session.type("\n")
        try await awaitPrompt()
        try await run("cd")
    }

    /// Runs a command whose output must match a pattern.
    func run(_ line: String, matching pattern: String, within seconds: Double = 20) async throws {
        let said = try await run(line, within: seconds)
        guard said.contains(try Regex(pattern)) else {
            throw ToolError("`\(line)` was to say /\(pattern)/, but said:\n\(said)")
        }
    }
}
