// The wheel against a sorted array, under many seeds.

import Testing

@testable import TimerWheel

@Suite struct TimerWheelTests {
    /// A wheel and a model that get the same.
    private struct Pair: ~Copyable {
        var wheel: TimerWheel<Int>
        var model: SortedModel
        var handles: [TimerWheel<Int>.Handle] = []
        var now: UInt64
        var dice: Dice

        init(seed: Int) {
            dice = Dice(seed: seed)
            now = seed % 3 == 0 ? 0 : dice.next() >> UInt64(dice.below(64))
            wheel = TimerWheel(startingAt: now)
            model = SortedModel(startingAt: now)
        }

        func saturated(_ distance: UInt64) -> UInt64 {
            let (tick, overflow) = now.addingReportingOverflow(distance)
            return overflow ? .max : tick
        }

        /// A time ahead, now, or a bit ago.
        mutating func someTick() -> UInt64 {
            dice.below(8) == 0 ? now - min(now, dice.next() % 100) : saturated(dice.distance())
        }

        mutating func insert() {
            let tick = someTick()
            handles.append(wheel.insert(handles.count, at: tick))
            model.insert(handles.count - 1, at: effective(tick, handles.count - 1))
        }

        /// When a timer really expires that was set for `tick`: then, but for ticks that are over at once.
        func effective(_ tick: UInt64, _ number: Int) -> UInt64 {
            guard let expiry = wheel.expiry(of: handles[number]) else { return tick }
            check(tick >= now ? expiry == max(tick, model.floor) : expiry >= tick && expiry <= saturated(1))
            return expiry
        }

        mutating func reschedule() {
            guard !handles.isEmpty else { return }
            let number = dice.below(handles.count)
            let tick = someTick()
            let isPending = model.remove(number)
            check(wheel.reschedule(handles[number], to: tick) == isPending)
            if isPending { model.insert(number, at: effective(tick, number)) }
        }

        mutating func cancel() {
            guard !handles.isEmpty else { return }
            let number = dice.below(handles.count)
            let isPending = model.remove(number)
            check(wheel.contains(handles[number]) == isPending)
            check(wheel.cancel(handles[number]) == (isPending ? number : nil))
            check(!wheel.contains(handles[number]))
        }

        /// Time goes on, and what expires does something.
        mutating func advance() {
            switch dice.below(4) {
            case 0: now = saturated(1)
            case 1: if let next = wheel.nextExpiry { now = max(now, next) }
            default: now = saturated(dice.distance())
            }
            while true {
                let expected = model.popExpired(through: now)
                check(wheel.popExpired(through: now) == expected)
                if expected == nil { break }
                switch dice.below(6) {
                case 0: insert()
                case 1: cancel()
                case 2: reschedule()
                default: break
                }
            }
        }

        /// What holds at any time.
        func checkState() {
            check(wheel.count == model.timers.count)
            guard let next = model.nextExpiry else {
                check(wheel.nextExpiry == nil)
                return
            }
            // Also once timers were cancelled: not later than the truth.
            if let said = wheel.nextExpiry {
                check(said <= next, "\(said) is later than \(next), now \(now)")
            } else {
                Issue.record("no expiry")
            }
        }
    }

    @Test(arguments: 0..<300) func itDoesAsASortedArray(seed: Int) {
        var pair = Pair(seed: seed)
        for _ in 0..<400 {
            switch pair.dice.below(8) {
            case 0...3: pair.insert()
            case 4: pair.reschedule()
            case 5: pair.cancel()
            default: pair.advance()
            }
            pair.checkState()
        }
        pair.now = .max
        while let expected = pair.model.popExpired(through: .max) {
            check(pair.wheel.popExpired(through: .max) == expected)
        }
        check(pair.wheel.popExpired(through: .max) == nil && pair.wheel.isEmpty)
    }

    @Test(arguments: 0..<100) func theNextExpiryIsExactWhileNoneIsCancelled(seed: Int) {
        var dice = Dice(seed: seed)
        var wheel = TimerWheel<Int>()
        var model = SortedModel()
        var now: UInt64 = 0
        for number in 0..<300 {
            let tick = now &+ dice.distance() >> 4
            _ = wheel.insert(number, at: tick)
            model.insert(number, at: tick)
            check(wheel.nextExpiry == model.nextExpiry)
            guard dice.below(3) == 0, let next = model.nextExpiry else { continue }
            // Not a tick early, and on time.
            if next > 0 { check(wheel.popExpired(through: next - 1) == nil) }
            now = next
            while let expected = model.popExpired(through: now) {
                check(wheel.popExpired(through: now) == expected)
            }
            check(wheel.popExpired(through: now) == nil)
            check(wheel.nextExpiry == model.nextExpiry)
        }
    }

    @Test func whoSleepsUntilTheNextExpiryLooksRarely() {
        // A timer far away costs a look for each level at most, whatever was cancelled in front of it.
        var wheel = TimerWheel<Int>()
        for exponent in 1..<64 as Range<UInt64> {
            let tick: UInt64 = 1 << exponent
            let handles = (1...100).map { wheel.insert(0, at: tick - min(tick, UInt64($0))) }
            _ = wheel.insert(1, at: tick)
            for handle in handles { wheel.cancel(handle) }
            var looks = 0
            while let next = wheel.nextExpiry {
                looks += 1
                if wheel.popExpired(through: next) != nil { break }
            }
            check(looks <= 11, "2^\(exponent)")
            wheel = TimerWheel()
        }
    }

    @Test func allDistancesAreExact() {
        for base in [0, 1, 63, 64, 4095, 1 << 40, UInt64.max - 5000] as [UInt64] {
            for shift in 0..<64 as Range<UInt64> {
                for difference in [0, 1, 2] as [UInt64] {
                    let (tick, overflow) = base.addingReportingOverflow((1 << shift) - 1 + difference)
                    if overflow { continue }
                    var wheel = TimerWheel<Int>(startingAt: base)
                    let handle = wheel.insert(7, at: tick)
                    check(wheel.nextExpiry == tick && wheel.expiry(of: handle) == tick)
                    if tick > base {
                        check(wheel.popExpired(through: base) == nil)
                        check(wheel.popExpired(through: tick - 1) == nil)
                    }
                    check(wheel.popExpired(through: tick) == 7)
                }
            }
        }
    }

    @Test func oneThatReArmsItselfForThePastComesOncePerTick() {
        var wheel = TimerWheel<Int>()
        _ = wheel.insert(1, at: 5)
        var times = 0
        while let payload = wheel.popExpired(through: 10) {
            times += 1
            _ = wheel.insert(payload, at: 0)
        }
        check(times == 6)
        check(wheel.nextExpiry == 11)
    }

    @Test func handlesOfTimersThatAreGoneNameNothing() {
        var wheel = TimerWheel<Int>()
        var old: [TimerWheel<Int>.Handle] = []
        for round in 0..<50 {
            let handle = wheel.insert(round, at: UInt64(round))
            old.append(handle)
            if round % 2 == 0 {
                check(wheel.cancel(handle) == round)
            } else {
                check(wheel.popExpired(through: UInt64(round)) == round)
            }
            for gone in old {
                check(!wheel.contains(gone) && wheel.cancel(gone) == nil && !wheel.reschedule(gone, to: 9))
                check(wheel.expiry(of: gone) == nil)
            }
        }
        let elsewhere = TimerWheel<Int>.Handle(identity: 1 << 40 | 0xffff_ffff)
        check(!wheel.contains(elsewhere))
    }

    /// Counts itself.
    private final class Counted {
        nonisolated(unsafe) static var living = 0
        init() { unsafe Self.living += 1 }
        deinit { unsafe Self.living -= 1 }
    }

    @Test func payloadsAreReleasedOnce() {
        do {
            var wheel = TimerWheel<Counted>()
            wheel.reserveCapacity(3000)
            var handles: [TimerWheel<Counted>.Handle] = []
            for tick in 0..<5000 as Range<UInt64> { handles.append(wheel.insert(Counted(), at: tick)) }
            for handle in handles.prefix(1000) { check(wheel.cancel(handle) != nil) }
            var expired = 0
            while wheel.popExpired(through: 2999) != nil { expired += 1 }
            check(expired == 2000)
            check(unsafe Counted.living == 2000)
        }
        check(unsafe Counted.living == 0)
    }

    private struct Unique: ~Copyable {
        let number: Int
    }

    private static func number(_ unique: consuming Unique?) -> Int? {
        if let unique { return unique.number }
        return nil
    }

    @Test func payloadsNeedNotBeCopyable() {
        var wheel = TimerWheel<Unique>()
        let handle = wheel.insert(Unique(number: 1), at: 1)
        _ = wheel.insert(Unique(number: 2), at: 2)
        check(Self.number(wheel.cancel(handle)) == 1)
        check(Self.number(wheel.popExpired(through: 2)) == 2)
        check(Self.number(wheel.popExpired(through: 9)) == nil)
        check(wheel.isEmpty)
    }
}
