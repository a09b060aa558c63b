// Packages of the system that a command needs, installed through its package manager.
import Foundation

/// What the commands need beside Swift, and how to get it on Debian and Ubuntu.
enum HostPackages {
    /// What a command is about to do.
    enum Purpose {
        case running, testing
    }

    /// A file that must be there, and the package that brings it.
    struct Need: Equatable {
        var file: String
        var package: String
    }

    private static let running = [
        Need(file: "/usr/bin/qemu-system-x86_64", package: "qemu-system-x86"),
        Need(file: "/bin/busybox", package: "busybox-static"),
        Need(file: "/usr/bin/cpio", package: "cpio"),
    ]
    private static let testing =
        running + [
            Need(file: "/usr/bin/musl-gcc", package: "musl-tools"),
            Need(file: "/usr/bin/gcc", package: "gcc"),
            Need(file: "/usr/include/stdio.h", package: "libc6-dev"),
        ]

    /// Installs what is missing. Throws, naming the command for the user to type, when that needs a
    /// password or there is no apt.
    static func install(for purpose: Purpose) async throws {
        let missing = await missingPackages(purpose == .testing ? testing : running)
        guard !missing.isEmpty else { return }
        let list = missing.joined(separator: " ")
        guard await HostProgram.exists("apt-get") else {
            throw ToolError(
                "missing: \(list) (names of Debian's packages); this system has no apt-get, so install "
                    + "what corresponds to them by hand")
        }
        let typed = "sudo apt-get update && sudo apt-get install -y --no-install-recommends \(list)"
        guard let privilege = await Self.privilege() else {
            throw ToolError("missing: \(list). Install with:\n  \(typed)")
        }
        Progress.step("installing \(list)")
        let prefix = privilege + ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
        try await apt(prefix + ["update"], typed: typed)
        try await apt(
            prefix + ["install", "-y", "--no-install-recommends"] + missing, typed: typed)
        let stillMissing = await missingPackages(purpose == .testing ? testing : running)
        guard stillMissing.isEmpty else {
            throw ToolError(
                "\(stillMissing.joined(separator: " ")): installed, yet what Apus needs of it is not there")
        }
    }

    /// The packages whose files are not there, each once. A program counts as there when it is on
    /// the path; busybox must be the static one.
    private static func missingPackages(_ needs: [Need]) async -> [String] {
        var missing: [String] = []
        for need in needs where !(await isPresent(need)) && !missing.contains(need.package) {
            missing.append(need.package)
        }
        return missing
    }

    private static func isPresent(_ need: Need) async -> Bool {
        if need.package == "busybox-static" { return isStaticProgram(need.file) }
        if FileManager.default.fileExists(atPath: need.file) { return true }
        let name = (need.file as NSString).lastPathComponent
        return await HostProgram.exists(name)
    }

    /// Whether the file is an ELF program that needs no interpreter (program header PT_INTERP, 3).
    private static func isStaticProgram(_ path: String) -> Bool {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
            let file = try? ElfFile(Array(data))
        else { return false }
        return !file.segments.contains { $0.type == 3 }
    }

    /// What to put before a command to run it as root without being asked: nothing for root, sudo
    /// where it needs no password, nil otherwise.
    private static func privilege() async -> [String]? {
        if getuid() == 0 { return [] }
        let sudo = try? await HostProgram("sudo", ["-n", "true"]).collect()
        return sudo?.isSuccess == true ? ["sudo", "-n"] : nil
    }

    private static func apt(_ command: [String], typed: String) async throws {
        let program = HostProgram(command[0], Array(command.dropFirst()))
        var output = ""
        let status = try await program.lines { line in
            output += line + "\n"
            Progress.transient("apus: \(line.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
        Progress.transient("")
        guard status.isSuccess else {
            throw ToolError("\(program.commandLine) failed:\n\(output)\nTry it by hand:\n  \(typed)")
        }
    }
}
