// Each file in Tests/MustNotCompile breaks one rule about contexts and must be refused by the compiler, with
// the message that its first line expects; Tests/MustNotCompile/control.swift keeps the rules and must pass.

import Foundation
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
private let programs = root.appending(path: "Tests/MustNotCompile")

@Suite struct MustNotCompileTests {
    private static var cases: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: programs.path))?
            .filter { $0.hasSuffix(".swift") && $0 != "control.swift" }.sorted() ?? []
    }

    /// Where the modules of the rooms are: beside this test's own build products.
    private static var modules: URL {
        var directory = Bundle.main.executableURL!.deletingLastPathComponent()
        while directory.path != "/" {
            let candidate = directory.appending(path: "Modules")
            if FileManager.default.fileExists(
                atPath: candidate.appending(path: "Primitives.swiftmodule").path)
            {
                return candidate
            }
            directory.deleteLastPathComponent()
        }
        return root.appending(path: ".build/debug/Modules")
    }

    /// Runs the compiler up to the diagnostics of optimised code; returns its status and what it printed.
    private func compile(_ name: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "swiftc", "-swift-version", "6", "-wmo", "-O", "-parse-as-library", "-emit-sil", "-o",
            "/dev/null",
            "-enable-experimental-feature", "Lifetimes", "-I", Self.modules.path,
            "-Xcc", "-I\(root.path)/Sources/CMachine/include", "-Xcc",
            "-fmodule-map-file=\(Self.modules.deletingLastPathComponent().path)/CMachine.build/module.modulemap",
            programs.appending(path: name).path,
        ]
        let pipe = Pipe()
        process.standardError = pipe
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    @Test func controlCompiles() throws {
        let (status, output) = try compile("control.swift")
        #expect(status == 0, "\(output)")
    }

    @Test func thereAreCases() { #expect(Self.cases.count >= 8) }

    @Test(arguments: cases)
    func isRefused(name: String) throws {
        let source = try String(contentsOf: programs.appending(path: name), encoding: .utf8)
        let first = source.prefix { $0 != "\n" }
        let expected = try #require(first.split(separator: "expect: ").last.map(String.init))
        let (status, output) = try compile(name)
        #expect(status != 0, "it compiled")
        #expect(output.contains("error: \(expected)"), "expected '\(expected)' in:\n\(output)")
    }
}
