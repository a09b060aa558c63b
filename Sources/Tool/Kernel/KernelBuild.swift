// Building the kernel: SwiftPM for the bare machine, then the symbol table, then the checks.
import Foundation

/// Makes `build/apus.elf`, or `build/apus-locks.elf` with the watch over locks (Sources/Primitives/Lockdep).
struct KernelBuild {
    static let usual = KernelBuild(
        product: Project.kernel, scratchDirectory: ".build-kernel", environment: [:], logName: "kernel-build")
    static let watchingLocks = KernelBuild(
        product: Project.lockKernel, scratchDirectory: ".build-kernel-locks",
        environment: ["APUS_DEBUG": "locks"], logName: "kernel-build-locks")

    static let linkerScript = "Sources/Kernel/kernel.ld"

    /// The file that is made.
    let product: String
    let scratchDirectory: String
    /// Beside `APUS_MACHINE`.
    let environment: [String: String]
    let logName: String

    private var linked: String { "\(scratchDirectory)/x86_64-unknown-none-elf/release/Kernel" }

    /// Builds the kernel, unless nothing changed; returns the size of the file in bytes.
    @discardableResult
    func build() async throws -> Int {
        try await link()
        var kernel = try ElfFile(Array(Data(contentsOf: URL(fileURLWithPath: linked))))
        try await addSymbols(to: &kernel)
        try Data(kernel.bytes).write(to: URL(fileURLWithPath: product), options: .atomic)
        return kernel.bytes.count
    }

    /// Compiles and links. SwiftPM does not know that the kernel depends on its linker script, so
    /// a kernel that is older than the script goes first.
    private func link() async throws {
        if let script = modificationDate(Self.linkerScript), let product = modificationDate(linked),
            product < script
        {
            try FileManager.default.removeItem(atPath: linked)
        }
        let swift = HostProgram(
            "swift",
            [
                "build", "-c", "release", "--triple", "x86_64-unknown-none-elf",
                "--scratch-path", scratchDirectory, "--product", "Kernel",
            ],
            environment: environment.merging(["APUS_MACHINE": "X86"]) { $1 })
        var output = ""
        let status = try await swift.lines { line in
            output += line + "\n"
            Progress.transient("apus: kernel: \(line.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
        Progress.transient("")
        try output.write(toFile: Project.log(logName), atomically: true, encoding: .utf8)
        guard status.isSuccess else {
            Progress.write(output, to: STDERR_FILENO)
            throw ToolError("the kernel did not build")
        }
    }

    private func addSymbols(to kernel: inout ElfFile) async throws {
        guard kernel.section(SymbolTable.sectionName) != nil else {
            Progress.warning(
                "the kernel has no section \(SymbolTable.sectionName): its backtraces have no names")
            return
        }
        _ = try await SymbolTable(of: kernel).demangled().store(in: &kernel)
    }

    private func modificationDate(_ path: String) -> Date? {
        try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    }
}
