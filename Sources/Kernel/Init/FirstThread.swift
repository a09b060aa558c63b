// The first thread: what of the boot sequence may sleep, then the tests or the first program.

import KernelTests
import Primitives

enum FirstThread {
    static func run(_ boot: BootInformation, _ options: KernelOptions, _ task: borrowing TaskContext) {
        if let filter = options.tests { runTests(filter, task) }
        bootFailure("there is nothing to run yet")
    }

    /// The in-kernel suites, then the end of the machine.
    private static func runTests(_ filter: [UInt8], _ task: borrowing TaskContext) -> Never {
        let failed = TestRunner.run(KernelSuites.all, filter: filter[...], task)
        ExitPort.leave(failed == 0 ? 0 : 1)
        bootFailure("the tests are over")
    }
}
