// A short soak: all devices at once, counted at both ends. The long one is `./apus soak`.

struct SoakStage: TestStage {
    let name = "soak"
    let summary = "keyboard, mouse, serial line, disk, clock and timers at once, counted at both ends"

    static let seconds = 15

    func parts() async throws -> [String] { ["all-devices"] }

    func run(_ parts: [String], in context: TestContext) async throws {
        let soak = Soak(seconds: Self.seconds, kernel: context.kernel)
        let result = try await soak.run(log: Project.log("soak"))
        for part in parts {
            await context.report.record(
                result.complaints.isEmpty
                    ? .passed(part) : .failed(part, result.complaints.joined(separator: "\n")))
        }
    }
}
