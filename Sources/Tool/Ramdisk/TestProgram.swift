// The user programs under `Tests/Programs` and how each is built.
//
// Every `NAME.c` becomes two static programs, /tests/musl/NAME and /tests/glibc/NAME; every
// `NAME.swift` becomes /tests/swift/NAME; every `NAME.sh` is /tests/sh/NAME. One of the first five
// lines may begin with `// apus:` (`# apus:` in a script), followed by one of
//     glibc-only | musl-only    build it with that library alone
//     args WORD...              run it with these arguments
//     cflags WORD...            compile it with these options as well
// There may be several such lines. A program prints KTAP and exits with 0 when all of it passed.
import Foundation

/// A test program in one of its builds.
struct TestProgram: Equatable, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case musl, glibc, swift, sh
    }

    static let sources = "Tests/Programs"
    static let products = "build/programs"

    var kind: Kind
    /// The file's name without its suffix.
    var title: String
    var arguments: [String] = []
    var compilerOptions: [String] = []

    /// Its name in reports, and its path below /tests.
    var name: String { "\(kind.rawValue)/\(title)" }
    var product: String { "\(Self.products)/\(name)" }
    var source: String {
        let suffix =
            switch kind {
            case .musl, .glibc: "c"
            case .swift: "swift"
            case .sh: "sh"
            }
        return "\(Self.sources)/\(title).\(suffix)"
    }

    /// All programs there are, sorted by name.
    static func all() throws -> [TestProgram] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: sources)) ?? []
        return try files.flatMap { file in
            try programs(of: file, text: String(contentsOfFile: "\(sources)/\(file)", encoding: .utf8))
        }.sorted { $0.name < $1.name }
    }

    /// The programs that one source file gives; none where it is no program.
    static func programs(of file: String, text: String) throws -> [TestProgram] {
        let title = (file as NSString).deletingPathExtension
        var kinds: [Kind]
        switch (file as NSString).pathExtension {
        case "c": kinds = [.musl, .glibc]
        case "swift": kinds = [.swift]
        case "sh": kinds = [.sh]
        default: return []
        }
        var program = TestProgram(kind: .sh, title: title)
        for directive in directives(text) {
            switch directive.first {
            case "glibc-only": kinds = [.glibc]
            case "musl-only": kinds = [.musl]
            case "args": program.arguments = Array(directive.dropFirst())
            case "cflags": program.compilerOptions = Array(directive.dropFirst())
            default:
                throw ToolError("\(sources)/\(file): unknown directive \(directive.joined(separator: " "))")
            }
        }
        return kinds.map { kind in
            program.kind = kind
            return program
        }
    }

    private static func directives(_ text: String) -> [[String]] {
        text.split(separator: "\n", maxSplits: 5).prefix(5).compactMap { line in
            let comment = ["// apus:", "# apus:"].first { line.hasPrefix($0) }
            return comment.map { line.dropFirst($0.count).split(separator: " ").map(String.init) }
        }
    }
}
