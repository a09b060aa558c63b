// A whole run of `./apus test`: which stages there are, in which order, and what the filter selects.

/// The stages, the filter, and the machine-independent part of running them.
struct TestRun {
    static let stages: [any TestStage] = [
        HostStage(), FormatStage(), KernelStage(), SuiteStage(), ProgramStage(), CrossCPUStage(),
        PromptStage(),
        BadInputStage(), CrashStage(), DeviceStage(), ButtonStage(), LockStage(), SoakStage(),
    ]

    let filter: TestFilter
    /// A kernel to boot instead of Apus, for trying the tests themselves.
    let foreignKernel: String?

    /// A stage with the parts of it that are to run.
    private struct Selection {
        var stage: any TestStage
        var parts: [String]
    }

    /// Prints the names of all parts.
    func list() async throws {
        for stage in Self.stages {
            print("\(stage.name): \(stage.summary)")
            for part in try await stage.parts() { print("    \(stage.name)/\(part)") }
        }
        print("A name that none of these contains selects unit tests: --filter TapParserTests")
    }

    /// Runs what is selected; returns whether all of it passed.
    func run() async throws -> Bool {
        let selections = try await selections()
        let report = TestReport(knownFailures: .load())
        var kernel = foreignKernel.map { Result<String, any Error>.success($0) }
        for selection in selections {
            let stage = selection.stage
            if foreignKernel != nil && stage.needsApus { continue }
            await report.begin(stage.name, stage.summary)
            do {
                if kernel == nil && stage.bootsKernel { kernel = await Self.builtKernel() }
                let context = TestContext(
                    report: report, kernel: try kernel?.get() ?? Project.kernel,
                    isForeignKernel: foreignKernel != nil, filter: filter)
                try await stage.run(selection.parts, in: context)
            } catch {
                await report.record(.failed("stage", "\(error)"))
            }
            await report.end()
        }
        await report.finish()
        let (passed, failed) = (await report.passed, await report.failed)
        return failed == 0 && passed > 0
    }

    /// What the filter selects. A text that no stage or part contains names unit tests.
    private func selections() async throws -> [Selection] {
        var selections: [Selection] = []
        for stage in Self.stages {
            let parts = filter.selection(of: try await stage.parts(), in: stage.name)
            if filter.selectsAll(of: stage.name) || !parts.isEmpty {
                selections.append(Selection(stage: stage, parts: parts))
            }
        }
        return selections.isEmpty ? [Selection(stage: HostStage(), parts: [])] : selections
    }

    /// Builds the kernel without the checks, which are a stage of their own.
    private static func builtKernel() async -> Result<String, any Error> {
        do {
            try await KernelBuild.usual.build()
            return .success(Project.kernel)
        } catch {
            return .failure(error)
        }
    }
}
