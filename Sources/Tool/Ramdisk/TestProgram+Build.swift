// Compiling the test programs, each only when it or a header is newer than what was built.
import Foundation

extension TestProgram {
    /// Compiles what is out of date, two at a time. Returns the error of each that does not
    /// compile, by its name.
    static func build(_ programs: [TestProgram]) async throws -> [String: String] {
        for kind in Kind.allCases { try Project.makeDirectory("\(products)/\(kind.rawValue)") }
        let errors = BuildErrors()
        let outdated = try programs.filter { try $0.isOutdated }
        try await concurrently(outdated) { program in
            Progress.transient("    compiling \(program.name)")
            let outcome = try await program.compiler.collect()
            if !outcome.isSuccess { await errors.add(outcome.output, for: program.name) }
        }
        return await errors.byName
    }

    /// The command that makes the product.
    var compiler: HostProgram {
        switch kind {
        case .musl:
            HostProgram("musl-gcc", ["-static", "-O2", "-Wall"] + compilerOptions + ["-o", product, source])
        case .glibc:
            HostProgram(
                "gcc", ["-static", "-O2", "-Wall", "-pthread"] + compilerOptions + ["-o", product, source])
        case .swift:
            HostProgram("swiftc", ["-O", "-static-executable"] + compilerOptions + ["-o", product, source])
        case .sh:
            HostProgram("cp", [source, product])
        }
    }

    private var isOutdated: Bool {
        get throws {
            guard let built = Self.date(of: product) else { return true }
            let files = try FileManager.default.contentsOfDirectory(atPath: Self.sources)
            let headers = files.filter { $0.hasSuffix(".h") }.map { "\(Self.sources)/\($0)" }
            return ([source] + headers).contains { (Self.date(of: $0) ?? .distantFuture) > built }
        }
    }

    private static func date(of path: String) -> Date? {
        try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    }
}

private actor BuildErrors {
    private(set) var byName: [String: String] = [:]

    func add(_ text: String, for name: String) {
        byName[name] = text
    }
}
