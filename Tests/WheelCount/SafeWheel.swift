// The operations of `TimerWheel`.

import TimerWheel

@safe struct SafeWheel: ~Copyable {
    var wheel = TimerWheel<UInt32>()
    /// Not an array: its checks are not the wheel's.
    let handles: UnsafeMutablePointer<TimerWheel<UInt32>.Handle>
    var handleCount = 0
    var now: UInt64 = 0

    init(_ capacity: Int) {
        wheel.reserveCapacity(capacity)
        unsafe handles = .allocate(capacity: operations)
    }

    deinit { unsafe handles.deallocate() }

    mutating func fill(_ distance: UInt64) { _ = wheel.insert(1, at: now &+ distance) }

    @inline(never)
    mutating func measuredAdd(_ distances: [UInt64]) -> Int {
        for distance in distances {
            // There are as many as operations.
            unsafe (handles + handleCount).initialize(to: wheel.insert(1, at: now &+ distance))
            handleCount &+= 1
        }
        return handleCount
    }

    @inline(never)
    mutating func measuredRearm(_ distances: [UInt64]) -> Int {
        for index in 0..<distances.count {
            unsafe wheel.reschedule(handles[index], to: now &+ distances[index])
        }
        return distances.count
    }

    @inline(never)
    mutating func measuredCancel() -> Int {
        for index in 0..<handleCount { unsafe wheel.cancel(handles[index]) }
        return handleCount
    }

    @inline(never)
    mutating func measuredEmpty() -> Int {
        var found = 0
        for _ in 0..<operations where wheel.popExpired(through: now) != nil { found += 1 }
        precondition(found == 0)
        return operations
    }

    @inline(never)
    mutating func measuredExpire() -> Int {
        var found = 0
        while wheel.popExpired(through: UInt64.max) != nil { found += 1 }
        return found
    }
}
