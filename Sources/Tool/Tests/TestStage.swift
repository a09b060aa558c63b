// A stage of `./apus test`: tests of one kind, run together.

/// What stages have in common.
protocol TestStage: Sendable {
    /// One word, the first part of the names of its cases.
    var name: String { get }
    /// What it does, for the line with which it begins.
    var summary: String { get }
    /// Whether it tests the Apus kernel itself, hence has nothing to do with another one.
    var needsApus: Bool { get }
    /// Whether it needs a kernel to be there.
    var bootsKernel: Bool { get }
    /// The names by which its parts can be selected; a part may report several cases.
    func parts() async throws -> [String]
    /// Runs these parts and reports their cases. An error is one failed case named `stage`.
    func run(_ parts: [String], in context: TestContext) async throws
}

extension TestStage {
    var needsApus: Bool { true }
    var bootsKernel: Bool { true }
}

/// What a stage is given.
struct TestContext: Sendable {
    let report: TestReport
    /// The kernel to boot.
    let kernel: String
    /// Whether it is another kernel than Apus, for trying the tests themselves.
    let isForeignKernel: Bool
    /// The text of `--filter`, for stages whose parts are not known beforehand.
    let filter: TestFilter
}

/// Runs `body` for each item, at most `limit` at a time: a boot takes most of a CPU of the host.
func concurrently<Item: Sendable>(
    _ items: [Item], limit: Int = 2, _ body: @escaping @Sendable (Item) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, item) in items.enumerated() {
            if index >= limit { try await group.next() }
            group.addTask { try await body(item) }
        }
        try await group.waitForAll()
    }
}
