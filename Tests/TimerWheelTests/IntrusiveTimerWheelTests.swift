// What only the wheel below shows: work in portions, and whether a timer has become the first.

import Testing

@testable import TimerWheel

@Suite struct IntrusiveTimerWheelTests {
    /// Nodes that lie still.
    @safe private final class Nodes {
        let first: IntrusiveTimerWheel.Pointer
        init(_ count: Int) {
            unsafe first = .allocate(capacity: count)
            unsafe first.initialize(repeating: TimerNode(), count: count)
        }
        deinit { unsafe first.deallocate() }
        func number(_ node: IntrusiveTimerWheel.Pointer) -> Int { unsafe node - first }
    }

    @Test func workIsDoneInPortions() {
        let count = 1000
        let nodes = Nodes(count)
        var wheel = unsafe IntrusiveTimerWheel()
        for index in 0..<count { unsafe wheel.add(nodes.first + index, at: 100_000 + UInt64(index % 60)) }
        var (expired, turns, moved, last) = (0, 0, 0, 0 as UInt64)
        while true {
            if let node = unsafe wheel.popExpired(through: 200_000, limit: 10) {
                expired += 1
                check(unsafe node.pointee.expiry >= last)
                last = unsafe node.pointee.expiry
            } else if unsafe wheel.isUnfinished {
                turns += 1
                check(unsafe wheel.nextExpiry != nil && !wheel.isEmpty)
                // Others may do what they like meanwhile.
                let other = unsafe nodes.first + (count - turns)
                guard unsafe other.pointee.isPending else { continue }
                unsafe wheel.move(other, to: 300_000)
                moved += 1
            } else {
                break
            }
        }
        check(turns >= 50)
        check(expired == count - moved && moved > 0)
        check(unsafe wheel.nextExpiry == 300_000)
        for _ in 0..<moved { check(unsafe wheel.popExpired(through: 300_000) != nil) }
        check(unsafe wheel.isEmpty && wheel.nextExpiry == nil)
    }

    @Test func itTellsWhetherATimerHasBecomeTheFirst() {
        let nodes = Nodes(4)
        var wheel = unsafe IntrusiveTimerWheel()
        check(unsafe wheel.add(nodes.first, at: 1000))
        check(unsafe !wheel.add(nodes.first + 1, at: 1000))
        check(unsafe !wheel.add(nodes.first + 2, at: 5000))
        check(unsafe wheel.add(nodes.first + 3, at: 3))
        check(unsafe wheel.move(nodes.first + 2, to: 2))
        check(unsafe !wheel.move(nodes.first + 2, to: 9000))
        for index in 0..<4 { unsafe wheel.remove(nodes.first + index) }
    }

    @Test func dueTimersCanBeRemovedBeforeTheyAreHandedOut() {
        let nodes = Nodes(10)
        var wheel = unsafe IntrusiveTimerWheel()
        for index in 0..<10 { unsafe wheel.add(nodes.first + index, at: 77) }
        check(unsafe wheel.popExpired(through: 77) == nodes.first)
        for index in 1..<9 { unsafe wheel.remove(nodes.first + index) }
        // Freed and used again at once.
        unsafe wheel.add(nodes.first, at: 78)
        check(unsafe wheel.popExpired(through: 77) == nodes.first + 9)
        check(unsafe wheel.popExpired(through: 77) == nil)
        check(unsafe wheel.popExpired(through: 78) == nodes.first)
        check(unsafe wheel.isEmpty)
    }
}
