// Counting the instructions of one operation, many times. Meant for one CPU under QEMU's `-icount shift=0`, where the time
// stamp counter is the number of instructions executed; elsewhere the figures are cycles and noisy.

import Machine
import Primitives

/// A series of readings, of which the report shows minimum, median and 99th percentile, less what reading the counter
/// twice costs.
struct Measurement: ~Copyable {
    static let rounds = 2000

    private var samples: [UInt64] = []
    /// The readings of an empty operation, once they are known.
    nonisolated(unsafe) private static var overhead: UInt64 = 0

    init() { samples.reserveCapacity(Self.rounds) }

    mutating func add(_ ticks: UInt64) { if samples.count < samples.capacity { samples.append(ticks) } }

    /// Measures what an empty operation costs. Before all others.
    static func calibrate() {
        var empty = Measurement()
        for _ in 0..<rounds {
            let start = TSC.read()
            empty.add(TSC.read() &- start)
        }
        empty.samples.sort()
        unsafe overhead = empty.samples[empty.samples.count / 2]
    }

    /// Prints `bench: NAME MINIMUM MEDIAN PERCENTILE`. The operation was done `per` times in each reading.
    consuming func report(_ name: StaticString, per: UInt64 = 1) {
        guard !samples.isEmpty else { return TestReport.line("bench: \(name) none") }
        samples.sort()
        let overhead = unsafe Self.overhead
        func net(_ index: Int) -> UInt64 {
            let ticks = samples[index]
            return (ticks > overhead ? ticks - overhead : 0) / per
        }
        let (least, median, late) = (net(0), net(samples.count / 2), net(samples.count * 99 / 100))
        TestReport.line("bench: \(name) \(least) \(median) \(late)")
    }
}

extension Measurement {
    /// Measures and reports `body`, with interrupts as they are.
    @inline(__always)
    static func run(_ name: StaticString, _ body: () -> Void) {
        var measurement = Measurement()
        for _ in 0..<rounds {
            let start = TSC.read()
            body()
            measurement.add(TSC.read() &- start)
        }
        measurement.report(name)
    }
}
