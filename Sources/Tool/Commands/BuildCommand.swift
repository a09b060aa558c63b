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

    @Flag(
        name: .long,
        help:
            "Build the watch over locks into \(Project.lockKernel): order, interrupts, sleeping, interrupts off."
    )
    var debugLocks = false

    func run() async throws {
        try await Report.errors {
            try Project.enter()
            try await Self.build(debugLocks ? .watchingLocks : .usual)
        }
    }

    /// Builds the kernel and checks it; a violation is an error.
    static func build(_ build: KernelBuild = .usual) async throws {
        Progress.step("building the kernel")
        let size = try await build.build()
        let violations = try await KernelChecks.violations(of: build.product)
        guard violations.isEmpty else {
            let list = violations.prefix(20).map { "  " + $0 }.joined(separator: "\n")
            throw ToolError("\(violations.count) violations in \(build.product):\n\(list)")
        }
        Progress.step("the kernel is \(build.product), \((size + 1023) / 1024) KiB")
    }
}
