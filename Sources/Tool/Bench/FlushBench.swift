// Where forgetting translations one by one costs as much as forgetting all of them: the limit of `TLBHooks.pageLimit`.
//
// In cycles of the time-stamp counter on a machine that runs in real time: counted instructions know nothing of translations
// that have to be found again. Under emulation it is the emulator's table that is measured.
import Foundation

enum FlushBench {
    private static let program = BenchProgram(name: "flush")
    private static let counts = [1, 2, 4, 8, 16, 32, 64, 128, 256]

    /// Measures and prints both ways side by side, and the break-even.
    static func run() async throws {
        try await program.makeRamdisk()
        var machine = VirtualMachine()
        machine.cpus = 2
        machine.append = "quiet"
        machine.ramdisk = program.ramdisk
        machine.console = .pipes
        let outcome = try await ConsoleSession.run(machine, timeLimit: 120, log: Project.log("bench-flush"))
        let readings = BenchReading.all(on: outcome.console)
        print("cycles to take rights from pages and touch 128 others: one by one / all at once")
        var pairs: [(count: Int, single: Int, all: Int)] = []
        for count in counts {
            guard let single = readings["one_by_one_\(count)"], let all = readings["all_at_once_\(count)"]
            else {
                throw ToolError("not measured (\(outcome.status)):\n\(outcome.lastLines())")
            }
            pairs.append((count, single.median, all.median))
            print("    \(count) pages: \(single.median) / \(all.median)")
        }
        if let limit = breakEven(pairs) {
            print("break-even: about \(limit) pages")
        } else {
            print("break-even: beyond \(counts.last ?? 0) pages")
        }
    }

    /// The number of pages from which one by one is never cheaper again, between two measured ones by a straight line; nil
    /// if it is cheaper at the end.
    static func breakEven(_ pairs: [(count: Int, single: Int, all: Int)]) -> Int? {
        guard let index = pairs.lastIndex(where: { $0.single < $0.all }) else { return pairs.first?.count }
        guard index + 1 < pairs.count else { return nil }
        let (before, behind) = (pairs[index], pairs[index + 1])
        let (gain, loss) = (before.all - before.single, behind.single - behind.all)
        return before.count + (behind.count - before.count) * gain / max(gain + loss, 1)
    }
}
