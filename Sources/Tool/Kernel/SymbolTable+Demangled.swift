// Names of symbols as a reader wants them in a backtrace.

extension SymbolTable {
    /// The same table with the names of Swift as they are in the source. One call of the toolchain's
    /// demangler does them all; where it is missing the names stay mangled, with a warning.
    func demangled() async throws -> SymbolTable {
        let mangled = entries.map(\.name).joined(separator: "\n") + "\n"
        let demangler = HostProgram("swift", ["demangle", "--compact", "--simplified"])
        guard let output = try? await demangler.output(input: mangled) else {
            Progress.warning("swift demangle does not work; backtraces will show mangled names")
            return self
        }
        let names = output.split(separator: "\n", omittingEmptySubsequences: false)
        guard names.count >= entries.count else {
            throw ToolError("swift demangle answered \(names.count) names for \(entries.count)")
        }
        return SymbolTable(
            entries: zip(entries, names).map { Entry(offset: $0.offset, name: Self.readable(String($1))) })
    }

    /// Leaves out what says nothing in a backtrace.
    static func readable(_ name: String) -> String {
        name.replacing("function signature specialization ", with: "specialized ")
            .replacing("generic specialization ", with: "specialized ")
            .replacing("merged ", with: "")
    }
}
