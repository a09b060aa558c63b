// The steps at the prompt that take more than one command.
import Foundation

extension PromptScript {
    /// The full-screen `top` shows itself and ends at the key Q.
    @Sendable static func top(_ prompt: Prompt) async throws {
        try await prompt.enter("top -d 1")
        try await prompt.expect("Load average:")
        try await prompt.expect("Load average:")
        try await prompt.press("q")
        try await prompt.awaitPrompt()
    }

    /// The wall clock is the host's, in UTC.
    @Sendable static func date(_ prompt: Prompt) async throws {
        let said = try await prompt.run("date +%s")
        let difference = abs(
            (Double(said.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) - Date().timeIntervalSince1970
        )
        guard difference < 20 else { throw ToolError("the guest's clock is \(difference) s off") }
        try await prompt.run("date", matching: #"UTC \d{4}\n"#)
    }

    /// Files are made, linked, renamed and removed.
    @Sendable static func files(_ prompt: Prompt) async throws {
        try await prompt.run("mkdir /tmp/d && cd /tmp/d && echo one >a && cd", matching: "^$")
        try await prompt.run("ln /tmp/d/a /tmp/d/b; ln -s a /tmp/d/c; cat /tmp/d/c", matching: "^one\n")
        try await prompt.run("ls -l /tmp/d | wc -l", matching: "^4\n")
        try await prompt.run("chmod 640 /tmp/d/a; stat -c %a,%h /tmp/d/b", matching: "^640,2\n")
        try await prompt.run("mv /tmp/d/a /tmp/d/e; rm -r /tmp/d; ls /tmp/d", matching: "No such file")
    }

    /// A compute loop on each CPU at once: all four were busy with user programs meanwhile.
    @Sendable static func cpuLoops(_ prompt: Prompt) async throws {
        let before = try await userTicks(prompt)
        try await prompt.run("loop() { while :; do :; done; }", matching: "^$")
        try await prompt.run("for n in 1 2 3 4; do loop & done")
        try await Task.sleep(for: .seconds(6))
        let after = try await userTicks(prompt)
        try await prompt.run("kill %1 %2 %3 %4; wait; echo gone", matching: "gone\n")
        let idle = zip(before, after).enumerated().filter { $0.element.1 - $0.element.0 < 100 }
        guard before.count == 4, after.count == 4, idle.isEmpty else {
            throw ToolError("user ticks per CPU before \(before), after 6 s of a loop on each \(after)")
        }
    }

    /// A fork bomb under `ulimit -u` is refused, and the system goes on.
    @Sendable static func forkBomb(_ prompt: Prompt) async throws {
        try await prompt.run("echo 'ulimit -u 40; f() { f | f & }; f; sleep 3' >/tmp/bomb", matching: "^$")
        try await prompt.run(
            "chmod 644 /tmp/bomb; asNobody() { su -s /bin/sh nobody -c \"$1\"; }", matching: "^$")
        try await prompt.run(
            "asNobody '. /tmp/bomb' 2>&1 | head -n 2", matching: "can't fork", within: 60)
        try await prompt.run("asNobody 'kill -9 -1'; asNobody 'kill -9 -1'; echo alive", matching: "alive\n")
        // They are dying; how soon they are gone is the host's business.
        try await prompt.run(
            "while ps | grep -q '[n]obody'; do sleep 1; done; echo gone", matching: "^gone\n", within: 60)
    }

    @Sendable static func controlCStep(_ prompt: Prompt) async throws {
        try await prompt.enter("sleep 100")
        try await Task.sleep(for: .milliseconds(700))
        try await prompt.press(controlC)
        try await prompt.awaitPrompt()
        try await prompt.run("echo status=$?", matching: "^status=130\n")
    }

    @Sendable static func controlZStep(_ prompt: Prompt) async throws {
        try await stopSleep(prompt)
        try await prompt.run("jobs", matching: #"^\[1\]\+ +Stopped +sleep 100\n"#)
        try await prompt.enter("fg")
        try await prompt.expect("sleep 100")
        try await Task.sleep(for: .milliseconds(700))
        try await prompt.press(controlC)
        try await prompt.awaitPrompt()
        try await prompt.run("jobs", matching: "^$")
    }

    @Sendable static func backgroundStep(_ prompt: Prompt) async throws {
        try await stopSleep(prompt)
        try await prompt.run("bg", matching: #"sleep 100"#)
        try await prompt.run("jobs", matching: #"Running +sleep 100"#)
        try await prompt.run("kill %1; wait; jobs", matching: "(Terminated|^$)")
    }

    private static func stopSleep(_ prompt: Prompt) async throws {
        try await prompt.enter("sleep 100")
        try await Task.sleep(for: .milliseconds(700))
        try await prompt.press(controlZ)
        try await prompt.expect("Stopped")
        try await prompt.awaitPrompt()
    }

    /// Ctrl-C reaches each process of a pipeline.
    @Sendable static func pipelineStep(_ prompt: Prompt) async throws {
        try await prompt.enter("yes | cat | cat >/dev/null")
        try await Task.sleep(for: .milliseconds(700))
        try await prompt.press(controlC)
        try await prompt.awaitPrompt()
        try await prompt.run("ps | grep -c '[y]es'", matching: "^0\n")
    }

    @Sendable static func backgroundJobs(_ prompt: Prompt) async throws {
        try await prompt.run("sleep 2 & sleep 3 &")
        try await prompt.run("jobs", matching: #"(?s)Running +sleep.*Running +sleep"#)
        try await prompt.run("wait; echo all", matching: "all\n")
    }

    /// Ctrl-D ends the input of a program in canonical mode.
    @Sendable static func controlDStep(_ prompt: Prompt) async throws {
        try await prompt.enter("wc -c")
        try await Task.sleep(for: .milliseconds(700))
        try await prompt.press("abc\n")
        try await prompt.expect("abc")
        try await prompt.press(controlD)
        try await prompt.expect("4\r\n")
        try await prompt.awaitPrompt()
    }

    /// Erasing and history, as the shell does them in raw mode.
    @Sendable static func lineEditing(_ prompt: Prompt) async throws {
        try await prompt.press("echo firsx\u{7F}t\n")
        try await prompt.expect("\r\nfirst\r\n")
        try await prompt.awaitPrompt()
        try await prompt.press("\(escape)[A\n")
        try await prompt.expect("\r\nfirst\r\n")
        try await prompt.awaitPrompt()
    }

    @Sendable static func vi(_ prompt: Prompt) async throws {
        try await prompt.enter("vi /tmp/note")
        try await prompt.expect("/tmp/note")
        try await prompt.press("ihello apus")
        // Each letter for itself: vi moves the cursor between any two that did not come together.
        for letter in "hello apus" { try await prompt.expect(String(letter)) }
        try await prompt.press(escape)
        try await Task.sleep(for: .milliseconds(700))
        try await prompt.press(":wq\r")
        try await prompt.awaitPrompt()
        try await prompt.run("cat /tmp/note; rm /tmp/note", matching: "^hello apus\n")
    }

    /// The user and nice columns of each CPU in /proc/stat, in hundredths of a second.
    private static func userTicks(_ prompt: Prompt) async throws -> [Int] {
        let said = try await prompt.run("grep '^cpu[0-9]' /proc/stat")
        return said.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 2, let user = Int(fields[1]), let nice = Int(fields[2]) else { return nil }
            return user + nice
        }
    }
}
