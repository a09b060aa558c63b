// Operations of a wheel in functions of their own, for a tool that counts instructions by function: `./apus bench wheel`.
//
//     wheel-count FACE DISTRIBUTION PENDING
//
// FACE is `safe` (`TimerWheel`) or `intrusive` (`IntrusiveTimerWheel`), DISTRIBUTION the distances of timers. Each function
// `measured...` does an operation `operations` times with PENDING others waiting; `measuredLoop` is the loop alone.
// Prints how often each was done: `count: NAME TIMES`.

import TimerWheel

/// How far ahead timers are set, in ticks.
enum Distribution: String, CaseIterable {
    /// 1 … 3,600,000: milliseconds up to an hour.
    case hour
    /// 1 … 255.
    case near
    /// All magnitudes alike, up to 2^62.
    case magnitudes
    /// All of 64 bits, nearly.
    case uniform64
    /// A few round time-outs: 40, 200, 5,000, 30,000, 7,200,000.
    case timeouts
    /// Multiples of 4,096.
    case coarse

    func distance(_ dice: inout Dice) -> UInt64 {
        switch self {
        case .hour: 1 + dice.next() % 3_600_000
        case .near: 1 + dice.next() % 255
        case .magnitudes: 1 + dice.next() >> (2 + dice.next() % 62)
        case .uniform64: 1 + dice.next() >> 2
        case .timeouts: [40, 200, 5000, 30_000, 7_200_000][Int(dice.next() % 5)]
        case .coarse: 4096 * (1 + dice.next() % 1024)
        }
    }
}

/// Steele, Lea and Flood's SplitMix64.
struct Dice {
    var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

/// How often each operation is done.
let operations = 10_000

@main enum WheelCount {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let distribution = Distribution(rawValue: arguments[2]),
            let pending = Int(arguments[3]), pending >= 0
        else { fatalError("usage: wheel-count safe|intrusive DISTRIBUTION PENDING") }
        var dice = Dice()
        let first = (0..<pending + operations).map { _ in distribution.distance(&dice) }
        let second = (0..<operations).map { _ in distribution.distance(&dice) }
        switch arguments[1] {
        case "safe": safe(first, second)
        case "intrusive": unsafe intrusive(first, second)
        default: fatalError("safe or intrusive")
        }
    }

    static func report(_ name: String, _ times: Int) { print("count: \(name) \(times)") }

    static func safe(_ first: [UInt64], _ second: [UInt64]) {
        var bench = SafeWheel(first.count)
        for distance in first.dropLast(operations) { bench.fill(distance) }
        let last = Array(first.suffix(operations))
        report("measuredLoop", measuredLoop(last))
        report("measuredAdd", bench.measuredAdd(last))
        report("measuredRearm", bench.measuredRearm(second))
        report("measuredCancel", bench.measuredCancel())
        for distance in last { bench.fill(distance) }
        report("measuredEmpty", bench.measuredEmpty())
        report("measuredExpire", bench.measuredExpire())
    }

    @unsafe static func intrusive(_ first: [UInt64], _ second: [UInt64]) {
        var bench = unsafe IntrusiveWheel(first.count + operations)
        for distance in first.dropLast(operations) { unsafe bench.fill(distance) }
        let last = Array(first.suffix(operations))
        report("measuredLoop", measuredLoop(last))
        report("measuredAdd", unsafe bench.measuredAdd(last))
        report("measuredRearm", unsafe bench.measuredRearm(second))
        report("measuredCancel", unsafe bench.measuredCancel())
        for distance in last { unsafe bench.fill(distance) }
        report("measuredEmpty", unsafe bench.measuredEmpty())
        report("measuredExpire", unsafe bench.measuredExpire())
    }
}

/// Keeps the loop over the distances.
@inline(never)
func measuredLoop(_ distances: [UInt64]) -> Int {
    var sum: UInt64 = 0
    for distance in distances { sum = keep(sum &+ distance) }
    return sum == 0 ? 0 : distances.count
}

/// A value that the optimiser knows nothing about, for the price of two instructions.
@inline(never) @_optimize(none)
func keep(_ value: UInt64) -> UInt64 { value }
