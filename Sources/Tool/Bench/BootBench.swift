// Instructions from a kernel's entry to the first instruction of init.
//
// The machine has 1 CPU and runs under -icount shift=0,sleep=off: the time-stamp counter is then the
// number of instructions executed since reset, exactly (QEMU's plugins count the same), and one is a
// nanosecond. Init's first instruction reads it. From that is taken
//     for Apus    the counter at its entry, which it prints with `apus.bench=boot`;
//     for Linux   the counter when its clock started: init's counter less what CLOCK_BOOTTIME then
//                 says. So Linux's own decompression and its earliest set-up, some 4 G
//                 instructions with the firmware, are not counted against it.
//
// The limit holds for a ramdisk of init alone. With busybox's ramdisk both kernels inflate 2 MB as well,
// which is the same work for both and says little about booting; it is shown for what a user waits for.
import Foundation

/// The measurement of booting.
struct BootBench: Sendable {
    /// What Apus may need, in percent of what Linux needs.
    static let limitPercent = 3.0
    /// What Debian's 6.1.192-2 needed on QEMU 7.2, for systems where it cannot be downloaded.
    static let recorded = 1_706_000_000

    /// The Linux to measure; nil takes the recorded number.
    let rival: LinuxKernel?

    /// What one boot told.
    struct Reading: Equatable, Sendable {
        /// The counter at init's first instruction.
        var atInit: Int
        /// The counter at the kernel's entry.
        var atEntry: Int?
        /// Nanoseconds since the kernel's clock started.
        var bootTime: Int

        /// Reads a console; nil where init's line is not on it.
        init?(console: String) {
            guard let atInit = Self.number(after: "bench: init TSC=", in: console),
                let bootTime = Self.number(after: " boottime=", in: console)
            else { return nil }
            self.atInit = atInit
            self.bootTime = bootTime
            atEntry = Self.number(after: KernelMessage.bootBench + "entry TSC=", in: console)
        }

        private static func number(after text: String, in console: String) -> Int? {
            guard let found = console.range(of: text) else { return nil }
            return Int(console[found.upperBound...].prefix(while: \.isNumber))
        }
    }

    /// Measures, prints a table, and says whether Apus is within the limit.
    func run() async throws -> Bool {
        try await BenchRamdisk.make()
        Progress.step("booting Apus" + (rival.map { " and \($0.title), which takes a minute" } ?? ""))
        async let apus = Self.instructions(ofApus: BenchRamdisk.allCases)
        async let linux = Self.instructions(of: rival, BenchRamdisk.allCases)
        let rows = zip(BenchRamdisk.allCases, zip(try await apus, try await linux))
        let title = rival?.title ?? "Linux 6.1, recorded"
        print("instructions from the kernel's entry to the first instruction of init")
        print(Self.row("ramdisk", "Apus", title, "Apus/Linux"))
        var isWithinLimit = false
        for (ramdisk, (ours, theirs)) in rows {
            let percent = 100 * Double(ours) / Double(theirs)
            if ramdisk == .initAlone { isWithinLimit = percent <= Self.limitPercent }
            let text = String(format: "%.2f %%", percent)
            print(Self.row(ramdisk.rawValue, Self.grouped(ours), Self.grouped(theirs), text))
        }
        print("limit with init alone \(Self.limitPercent) %: \(isWithinLimit ? "passed" : "FAILED")")
        return isWithinLimit
    }

    private static func instructions(ofApus ramdisks: [BenchRamdisk]) async throws -> [Int] {
        var counts: [Int] = []
        for ramdisk in ramdisks {
            let reading = try await boot(
                Project.kernel, ramdisk, append: "quiet apus.bench=boot", name: "apus")
            guard let entry = reading.atEntry else {
                throw ToolError("the kernel did not say \(KernelMessage.bootBench)entry TSC=N")
            }
            counts.append(reading.atInit - entry)
        }
        return counts
    }

    private static func instructions(of rival: LinuxKernel?, _ ramdisks: [BenchRamdisk]) async throws -> [Int]
    {
        guard let rival else { return ramdisks.map { _ in recorded } }
        var counts: [Int] = []
        for ramdisk in ramdisks {
            let words = "quiet tsc=reliable nokaslr"
            counts.append(try await boot(rival.path, ramdisk, append: words, name: "linux").bootTime)
        }
        return counts
    }

    private static func boot(
        _ kernel: String, _ ramdisk: BenchRamdisk, append: String, name: String
    ) async throws -> Reading {
        var machine = VirtualMachine()
        machine.cpus = 1
        machine.kernel = kernel
        machine.ramdisk = ramdisk.path
        machine.append = append
        machine.countsInstructions = true
        machine.console = .pipes
        let log = Project.log("bench-boot-\(name)")
        let outcome = try await ConsoleSession.run(machine, timeLimit: 300, log: log)
        guard let reading = Reading(console: outcome.console) else {
            throw ToolError("init said nothing on \(kernel) (\(outcome.status)):\n\(outcome.lastLines())")
        }
        return reading
    }

    private static func row(_ cells: String...) -> String {
        let widths = [12, 15, 26, 12]
        return zip(cells, widths).enumerated().map { index, cell in
            let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index == 0 ? cell.0 + padding : padding + cell.0
        }.joined()
    }

    /// 1234567 as 1,234,567.
    static func grouped(_ number: Int) -> String {
        var groups: [String] = []
        var rest = number
        while rest >= 1000 {
            groups.insert(String(format: "%03d", rest % 1000), at: 0)
            rest /= 1000
        }
        return (["\(rest)"] + groups).joined(separator: ",")
    }
}
