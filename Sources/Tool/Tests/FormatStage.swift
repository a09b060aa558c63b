// The sources are formatted as `.swift-format` says.

struct FormatStage: TestStage {
    let name = "format"
    let summary = "swift format lint --strict"
    var needsApus: Bool { false }
    var bootsKernel: Bool { false }

    private static let places = ["Sources", "Tests", "Package.swift"]

    func parts() async throws -> [String] { Self.places }

    func run(_ parts: [String], in context: TestContext) async throws {
        for place in parts {
            let lint = HostProgram(
                "swift", ["format", "lint", "--strict", "--recursive", "--parallel", place])
            let outcome = try await lint.collect()
            let complaint = outcome.output + "\nswift format -i -r \(place) mends most of it"
            await context.report.record(outcome.isSuccess ? .passed(place) : .failed(place, complaint))
        }
    }
}
