// What a user does at the prompt, step by step: the list that the kernel is judged by.
import Foundation

/// A thing to try at the prompt. It begins and ends with the shell waiting for a command.
struct PromptStep: Sendable {
    let name: String
    let action: @Sendable (Prompt) async throws -> Void

    init(_ name: String, _ action: @escaping @Sendable (Prompt) async throws -> Void) {
        self.name = name
        self.action = action
    }

    /// A step that runs one command and looks at what it says.
    init(_ name: String, _ line: String, matching pattern: String, within seconds: Double = 20) {
        self.init(name) { try await $0.run(line, matching: pattern, within: seconds) }
    }
}

/// The steps at a prompt on a machine with 4 CPUs.
enum PromptScript {
    static let controlC = "\u{3}"
    static let controlZ = "\u{1A}"
    static let controlD = "\u{4}"
    static let escape = "\u{1B}"

    static let steps = looking + computing + jobs + programs

    /// Looking around: the files and calls that tools show the system with.
    private static let looking = [
        PromptStep("uname", "uname -a", matching: #"^\w+ apus .+ x86_64 "#),
        PromptStep("proc-interrupts", "cat /proc/interrupts", matching: #"^ +CPU0 +CPU1 +CPU2 +CPU3"#),
        PromptStep("proc-interrupts-serial", "grep -w 4: /proc/interrupts", matching: #"\d+ +.*ttyS0"#),
        PromptStep("proc-cpuinfo", "grep -c ^processor /proc/cpuinfo", matching: #"^4\n"#),
        PromptStep("proc-cpuinfo-flags", "grep -m 1 ^flags /proc/cpuinfo", matching: #"\bsse2\b"#),
        PromptStep("ps", "ps", matching: #"(?s)PID.* 1 (root|0) +.*init.*\bps\b"#),
        PromptStep("top-batch", "top -b -n 1 | head -n 8", matching: #"(?s)Mem:.*CPU:.*Load average:"#),
        PromptStep("top", top),
        PromptStep("date", date),
        PromptStep("uptime", "uptime", matching: #"up .*load average: "#),
        PromptStep("dmesg", "dmesg | tail -n 3", matching: #"^\[ *\d+\.\d{6}\] "#),
        PromptStep("free", "free | grep ^Mem", matching: #"Mem: +\d+ +\d+ +\d+"#),
        PromptStep("mount", "mount | grep -c -E 'proc|sysfs|dev'", matching: #"^[3-9]"#),
        PromptStep("terminal-size", "stty size", matching: #"^\d+ \d+\n"#),
        PromptStep("tty", "tty", matching: #"^/dev/ttyS0\n"#),
    ]

    /// The shell at work.
    private static let computing = [
        PromptStep("time-sleep", "time sleep 1", matching: #"real\s+0m 1\.[0-4]"#),
        PromptStep(
            "pipeline-of-five", "seq 1 1000 | grep 7 | sort -rn | head -n 3 | tr '\\n' ,",
            matching: #"^997,987,979,"#),
        PromptStep(
            "loop", "for i in $(seq 1000); do true; done; echo looped $i", matching: #"^looped 1000\n"#,
            within: 60),
        PromptStep("status", "sh -c 'exit 7'; echo status=$?", matching: #"^status=7\n"#),
        PromptStep("killed", "sh -c 'kill -9 $$'; echo status=$?", matching: #"status=137\n"#),
        PromptStep("not-found", "no-such-command", matching: #"not found"#),
        PromptStep("is-a-directory", "cat /tmp", matching: #"Is a directory"#),
        PromptStep("background", "sleep 1 & wait; echo waited", matching: #"waited\n"#),
        PromptStep("redirection", "ls /nowhere 2>/tmp/err; wc -l </tmp/err", matching: #"^1\n"#),
        PromptStep("files", files),
        PromptStep("cpu-loops", cpuLoops),
        PromptStep("fork-bomb", forkBomb),
    ]

    /// Jobs and the terminal's signals.
    private static let jobs = [
        PromptStep("control-c", controlCStep),
        PromptStep("control-z-fg", controlZStep),
        PromptStep("control-z-bg", backgroundStep),
        PromptStep("control-c-pipeline", pipelineStep),
        PromptStep("background-jobs", backgroundJobs),
        PromptStep(
            "kill-job", "sleep 100 & sleep 1; kill %1; wait %1; echo status=$?", matching: #"status=143\n"#),
        PromptStep("control-d", controlDStep),
        PromptStep("line-editing", lineEditing),
    ]

    /// Programs that use the terminal's whole screen.
    private static let programs = [
        PromptStep("vi", vi),
        PromptStep("more-files", "find / -xdev | wc -l", matching: #"^\d{3,}\n"#, within: 60),
        PromptStep("tar", "tar c /etc | tar t | grep -c etc/", matching: #"(?m)^[1-9]\d*$"#),
        PromptStep(
            "gzip", "gzip -c /bin/busybox | gunzip | cmp - /bin/busybox && echo same", matching: "^same\n",
            within: 90),
        PromptStep("checksum", "md5sum /bin/busybox", matching: #"^[0-9a-f]{32}  /bin/busybox"#, within: 60),
    ]
}
