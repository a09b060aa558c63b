// Names the seed when a simulated machine brings its process down (a trap in the code under test), so that
// the run can be replayed.

import Glibc

enum SimulatedFailureReport {
    // Read by the signal handler; machines that run beside each other report the one that began last.
    nonisolated(unsafe) private static var seed: UInt64 = 0
    nonisolated(unsafe) private static var cpus = 0
    nonisolated(unsafe) private static var isInstalled = false

    static func begin(seed: UInt64, cpus: Int) {
        unsafe Self.seed = seed
        unsafe Self.cpus = cpus
        if unsafe isInstalled { return }
        unsafe isInstalled = true
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT, SIGBUS] {
            signal(number) { number in
                // Formatting allocates, which is as good as anything now that the process is lost.
                let text =
                    unsafe "simulated machine: seed \(SimulatedFailureReport.seed), \(SimulatedFailureReport.cpus) CPUs\n"
                _ = unsafe text.withCString { unsafe write(2, $0, strlen($0)) }
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    static func end() { unsafe cpus = 0 }
}
