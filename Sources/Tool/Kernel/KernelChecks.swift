// What must hold of every linked kernel: it never touches the floating-point and vector registers,
// which belong to user programs, and no memory of it is both writable and executable.
import Foundation

/// Checks of the linked kernel.
enum KernelChecks {
    /// Each violation, as a sentence; none in a good kernel.
    static func violations(of path: String) async throws -> [String] {
        let kernel = try ElfFile(Array(Data(contentsOf: URL(fileURLWithPath: path))))
        return segmentViolations(kernel.segments) + (try await instructionViolations(path))
    }

    /// Loaded segments that are writable and executable.
    static func segmentViolations(_ segments: [ElfFile.Segment]) -> [String] {
        segments.filter { $0.type == ElfFile.Segment.load && $0.isWritable && $0.isExecutable }.map {
            "the segment at 0x\(String($0.address, radix: 16)) is writable and executable"
        }
    }

    /// Instructions that use vector or x87 registers, with the function that holds them.
    static func instructionViolations(_ path: String) async throws -> [String] {
        let objdump = try await disassembler()
        var scan = InstructionScan()
        let status = try await HostProgram(objdump, ["-d", "--no-show-raw-insn", path]).lines { line in
            scan.take(line)
        }
        guard status.isSuccess, scan.instructions > 0 else { throw ToolError("\(objdump) -d \(path) failed") }
        return scan.violations
    }

    private static func disassembler() async throws -> String {
        for name in ["llvm-objdump", "objdump"] where await HostProgram.exists(name) { return name }
        throw ToolError("neither llvm-objdump (of the Swift toolchain) nor objdump (binutils) is installed")
    }
}

/// Reads a disassembly in AT&T syntax line by line, and keeps what must not be there.
struct InstructionScan {
    private(set) var instructions = 0
    private(set) var violations: [String] = []
    private var function = "?"

    /// Saving, restoring and resetting the state of user programs is what the kernel is there for.
    private static let allowed = ["fxsave", "fxrstor", "fninit", "fnclex"]

    mutating func take(_ rawLine: String) {
        let line = rawLine.trimmingCharacters(in: .whitespacesAndNewlines)
        if line.hasSuffix(">:"), let name = line.split(separator: "<").last {
            function = String(name.dropLast(2))
            return
        }
        guard let colon = line.firstIndex(of: ":"), line[..<colon].allSatisfy(\.isHexDigit),
            colon != line.startIndex
        else { return }
        instructions += 1
        let text = line[line.index(after: colon)...].split(separator: "#")[0]
            .split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if Self.usesFloatingPoint(text) { violations.append("\(text)   in \(function)") }
    }

    /// Whether the instruction uses an x87, MMX, SSE or AVX register. Every x87 mnemonic begins with
    /// F, and no other one does.
    static func usesFloatingPoint(_ instruction: String) -> Bool {
        let operands = ["%xmm", "%ymm", "%zmm", "%mm", "%st(", "%k"]
        let mnemonic = instruction.prefix { $0 != " " }
        if allowed.contains(where: mnemonic.hasPrefix) { return false }
        return mnemonic.hasPrefix("f") || operands.contains(where: instruction.contains)
    }
}
