// The operations of `IntrusiveTimerWheel`.

import TimerWheel

@unsafe struct IntrusiveWheel: ~Copyable {
    var wheel = unsafe IntrusiveTimerWheel()
    let nodes: IntrusiveTimerWheel.Pointer
    var used = 0
    var first = 0
    var now: UInt64 = 0

    init(_ capacity: Int) {
        unsafe nodes = .allocate(capacity: capacity)
        unsafe nodes.initialize(repeating: TimerNode(), count: capacity)
    }

    deinit { unsafe nodes.deallocate() }

    mutating func fill(_ distance: UInt64) {
        unsafe wheel.add(nodes + used, at: now &+ distance)
        unsafe used += 1
    }

    @inline(never)
    mutating func measuredAdd(_ distances: [UInt64]) -> Int {
        unsafe first = used
        var node = unsafe nodes + used
        for distance in distances {
            unsafe wheel.add(node, at: now &+ distance)
            unsafe node += 1
        }
        unsafe used &+= distances.count
        return distances.count
    }

    @inline(never)
    mutating func measuredRearm(_ distances: [UInt64]) -> Int {
        for index in 0..<distances.count {
            unsafe wheel.move(nodes + (first &+ index), to: now &+ distances[index])
        }
        return distances.count
    }

    @inline(never)
    mutating func measuredCancel() -> Int {
        for index in unsafe first..<used { unsafe wheel.remove(nodes + index) }
        return unsafe used - first
    }

    @inline(never)
    mutating func measuredEmpty() -> Int {
        var found = 0
        for _ in 0..<operations where unsafe wheel.popExpired(through: now) != nil { found += 1 }
        precondition(found == 0)
        return operations
    }

    @inline(never)
    mutating func measuredExpire() -> Int {
        var found = 0
        while unsafe wheel.popExpired(through: UInt64.max) != nil { found += 1 }
        return found
    }
}
