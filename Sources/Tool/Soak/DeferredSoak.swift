// The soak of deferred work: the kernel counts for itself (Sources/KernelTests/Soak), here it is booted and its report read.
import Foundation

struct DeferredSoak: Sendable {
    var seconds: Int
    var kernel: String
    var type = MachineType.q35
    var cpus = 4

    /// What is soaked, as the kernel reports it.
    static let kinds = ["softirq", "tasklet", "work", "delayed"]

    func run(log: String) async throws -> SoakResult {
        var machine = VirtualMachine()
        machine.type = type
        machine.cpus = cpus
        machine.kernel = kernel
        machine.ramdisk = try await BusyboxRamdisk.make()
        machine.append = "apus.bench=soak-\(seconds)"
        machine.console = .pipes
        let outcome = try await ConsoleSession.run(machine, timeLimit: Double(seconds) * 2 + 120, log: log)
        return Self.result(of: outcome)
    }

    /// The last line of each kind: `soak: KIND SCHEDULED RAN TAKEN-BACK OVERLAPS end`.
    static func result(of outcome: BootOutcome) -> SoakResult {
        var complaints: [String] = []
        var table: [String] = []
        if outcome.isTimedOut { complaints.append("hung") }
        if !outcome.isTimedOut, outcome.status != .exited(0) { complaints.append("\(outcome.status)") }
        let lines = outcome.console.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        for kind in kinds {
            let counts = lines.last { $0.count == 7 && $0[0] == "soak:" && $0[1] == kind && $0[6] == "end" }?
                .compactMap { Int($0) }
            guard let counts, counts.count == 4 else {
                complaints.append("\(kind): not reported")
                continue
            }
            table.append("\(kind): \(counts[0]) scheduled, \(counts[1]) run, \(counts[2]) taken back")
            if counts[0] == 0 { complaints.append("\(kind): none scheduled") }
            if counts[0] != counts[1] + counts[2] { complaints.append("\(kind): not all are accounted for") }
            if counts[3] != 0 { complaints.append("\(kind): \(counts[3]) ran twice at once") }
        }
        if !lines.contains(["soak:", "all", "even"]) {
            complaints.append("the kernel does not say that all is even")
        }
        if !complaints.isEmpty { complaints.append("the console's last lines:\n" + outcome.lastLines(30)) }
        return SoakResult(complaints: complaints, table: table)
    }
}
