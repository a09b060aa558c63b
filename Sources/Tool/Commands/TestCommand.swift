// `./apus test`
import ArgumentParser

struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Runs the tests: on the host, in the kernel, of user programs, at the prompt.",
        discussion: """
            The last line is the counts of test cases, and the status is 0 only when none failed. What each \
            boot said on its console is kept in \(Project.logDirectory).
            """)

    @Option(
        name: .long,
        help: "Run only what has this in its name, as --list shows them, or in that of a unit test.")
    var filter: String?

    @Flag(name: .long, help: "Show the names of the stages and their parts.")
    var list = false

    @Option(
        name: .long, help: "Try the stages that can be on another kernel, Linux for instance.",
        completion: .file())
    var kernel: String?

    func run() async throws {
        try await Report.errors {
            try Project.enter()
            let run = TestRun(filter: TestFilter(filter), foreignKernel: kernel.map(Project.userPath))
            if list { return try await run.list() }
            RunningMachines.endWithTool()
            try await HostPackages.install(for: .testing)
            guard try await run.run() else { throw ExitCode.failure }
        }
    }
}
