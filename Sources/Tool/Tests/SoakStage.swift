// Short soaks: all devices at once, all deferred work at once, counted at both ends. The long ones are `./apus soak`.

struct SoakStage: TestStage {
    let name = "soak"
    let summary = "devices at once, soft IRQs, tasklets and works at once, counted at both ends"

    static let seconds = 15
    static let deferredSeconds = 5

    func parts() async throws -> [String] { ["all-devices", "deferred"] }

    func run(_ parts: [String], in context: TestContext) async throws {
        for part in parts {
            let result =
                part == "deferred"
                ? try await DeferredSoak(seconds: Self.deferredSeconds, kernel: context.kernel)
                    .run(log: Project.log("soak-deferred"))
                : try await Soak(seconds: Self.seconds, kernel: context.kernel).run(log: Project.log("soak"))
            await context.report.record(
                result.complaints.isEmpty
                    ? .passed(part) : .failed(part, result.complaints.joined(separator: "\n")))
        }
    }
}
