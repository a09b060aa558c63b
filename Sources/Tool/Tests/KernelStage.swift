// What must hold of the linked kernel before it is booted.
import Foundation

struct KernelStage: TestStage {
    let name = "kernel"
    let summary = "the checks of \(Project.kernel)"

    private static let registers = "no instruction uses vector or x87 registers"
    private static let segments = "no segment is writable and executable"
    private static let symbols = "the symbol table names the functions"

    func parts() async throws -> [String] { [Self.registers, Self.segments, Self.symbols] }

    func run(_ parts: [String], in context: TestContext) async throws {
        let kernel = try ElfFile(Array(Data(contentsOf: URL(fileURLWithPath: context.kernel))))
        for part in parts {
            let violations =
                switch part {
                case Self.registers: try await KernelChecks.instructionViolations(context.kernel)
                case Self.segments: KernelChecks.segmentViolations(kernel.segments)
                default: Self.symbolViolations(kernel)
                }
            let why = violations.joined(separator: "\n")
            await context.report.record(violations.isEmpty ? .passed(part) : .failed(part, why))
        }
    }

    /// The table is there, holds more than a few functions, and its entries are sorted.
    static func symbolViolations(_ kernel: ElfFile) -> [String] {
        do {
            let table = try SymbolTable(storedIn: kernel)
            let offsets = table.entries.map(\.offset)
            let isSorted = zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 }
            if !isSorted { return ["the entries are not sorted by address"] }
            return offsets.count < 100 ? ["it holds \(offsets.count) entries"] : []
        } catch {
            return ["\(error)"]
        }
    }
}
