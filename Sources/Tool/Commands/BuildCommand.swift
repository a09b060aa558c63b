// `./apus build`
import ArgumentParser

struct BuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Builds the kernel as one ELF file, \(Project.kernel), and checks it.",
        discussion: """
            Nothing else is needed to boot it:
              qemu-system-x86_64 -smp 4 -m 256 -nographic -no-reboot -kernel build/apus.elf \
            -initrd any.cpio.gz -append "console=ttyS0"
            """)

    func run() async throws {
        try await Report.errors {
            try Project.enter()
            try await Self.build()
        }
    }

    /// Builds the kernel and checks it; a violation is an error.
    static func build() async throws {
        Progress.step("building the kernel")
        let size = try await KernelBuild.build()
        let violations = try await KernelChecks.violations(of: Project.kernel)
        guard violations.isEmpty else {
            let list = violations.prefix(20).map { "  " + $0 }.joined(separator: "\n")
            throw ToolError("\(violations.count) violations in \(Project.kernel):\n\(list)")
        }
        Progress.step("the kernel is \(Project.kernel), \((size + 1023) / 1024) KiB")
    }
}
