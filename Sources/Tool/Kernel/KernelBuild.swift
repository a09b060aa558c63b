// Building the kernel: SwiftPM for the bare machine, then the symbol table, then the checks.
import Foundation

/// Makes `build/apus.elf`.
enum KernelBuild {
    static let scratchDirectory = ".build-kernel"
    static let linkerScript = "Sources/Kernel/kernel.ld"
    static let log = Project.log("kernel-build")
    static let linked = "\(scratchDirectory)/x86_64-unknown-none-elf/release/Kernel"

    /// Builds the kernel, unless nothing changed; returns the size of the file in bytes.
    @discardableResult
    static func build() async throws -> Int {
        try await link()
        var kernel = try ElfFile(Array(Data(contentsOf: URL(fileURLWithPath: linked))))
        try await addSymbols(to: &kernel)
        try Data(kernel.bytes).write(to: URL(fileURLWithPath: Project.kernel), options: .atomic)
        return kernel.bytes.count
    }

    /// Compiles and links. SwiftPM does not know that the kernel depends on its linker script, so
    /// a kernel that is older than the script goes first.
    private static func link() async throws {
        if let script = modificationDate(linkerScript), let product = modificationDate(linked),
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
            environment: ["APUS_MACHINE": "X86"])
        var output = ""
        let status = try await swift.lines { line in
            output += line + "\n"
            Progress.transient("apus: kernel: \(line.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
        Progress.transient("")
        try output.write(toFile: log, atomically: true, encoding: .utf8)
        guard status.isSuccess else {
            Progress.write(output, to: STDERR_FILENO)
            throw ToolError("the kernel did not build")
        }
    }

    private static func addSymbols(to kernel: inout ElfFile) async throws {
        guard kernel.section(SymbolTable.sectionName) != nil else {
            Progress.warning(
                "the kernel has no section \(SymbolTable.sectionName): its backtraces have no names")
            return
        }
        _ = try await SymbolTable(of: kernel).demangled().store(in: &kernel)
    }

    private static func modificationDate(_ path: String) -> Date? {
        try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    }
}
