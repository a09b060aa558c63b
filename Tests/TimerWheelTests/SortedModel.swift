// What a wheel has to do, done by a sorted array.

@testable import TimerWheel

/// Numbered timers in order of expiry, and of being set within a tick.
struct SortedModel {
    private(set) var timers: [(tick: UInt64, number: Int)] = []
    /// Ticks below are over.
    private(set) var floor: UInt64

    init(startingAt tick: UInt64 = 0) { floor = tick }

    mutating func insert(_ number: Int, at tick: UInt64) {
        let tick = max(tick, floor)
        var (low, high) = (0, timers.count)
        while low < high {
            let middle = (low + high) / 2
            if timers[middle].tick <= tick { low = middle + 1 } else { high = middle }
        }
        timers.insert((tick, number), at: low)
    }

    @discardableResult
    mutating func remove(_ number: Int) -> Bool {
        guard let index = timers.firstIndex(where: { $0.number == number }) else { return false }
        timers.remove(at: index)
        return true
    }

    mutating func popExpired(through tick: UInt64) -> Int? {
        guard let first = timers.first, first.tick <= tick else { return nil }
        timers.removeFirst()
        floor = first.tick == .max ? .max : first.tick + 1
        return first.number
    }

    var nextExpiry: UInt64? { timers.first?.tick }
}

/// Steele, Lea and Flood's SplitMix64.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    init(seed: Int) { state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// A distance of any magnitude, or around a boundary of the wheel's levels.
    mutating func distance() -> UInt64 {
        switch below(4) {
        case 0: next() >> UInt64(below(64))
        case 1: (1 << UInt64(6 * below(11))) &+ next() % 5 &- 2
        case 2: next() % 200
        default: 64 * (next() % 300)
        }
    }
}
