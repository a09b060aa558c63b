// What the lock graph finds wrong.

import Machine

/// Classes in the order in which their locks are taken, each while the one before is held.
public struct LockPath: Sendable {
    public static let capacity = 16
    private var classes = InlineArray<16, UInt16>(repeating: 0)
    public private(set) var count = 0

    public subscript(index: Int) -> Int { Int(classes[index]) }

    /// What does not fit is left out.
    mutating func append(_ number: Int) {
        guard count < Self.capacity else { return }
        classes[count] = UInt16(truncatingIfNeeded: number)
        count += 1
    }

    public init() {}

    mutating func removeAll() { count = 0 }

    /// The other way round.
    mutating func reverse() {
        for index in 0..<(count / 2) {
            let other = count - 1 - index
            (classes[index], classes[other]) = (classes[other], classes[index])
        }
    }
}

public enum LockProblem: UInt8, Sendable {
    case none
    /// A lock of the path's first class was wanted while one of its last was held: the path leads from what is wanted now to
    /// what is held.
    case cycle
    /// Two locks of one class were taken in both orders of their addresses.
    case bothOrders
    /// Locks of a class are taken in an interrupt (`usage`), and also held where that interrupt can come.
    case interrupted
    /// While a lock of the path's first class is held, which an interrupt takes (`usage`), others are taken up to the last
    /// one's, which is held elsewhere where that interrupt can come.
    case interruptedBehind
    /// There is no room for what was seen: from here on problems are missed.
    case full
}

/// A problem and the classes it is about. Filled in place: the compiler does badly with large values in enums.
public struct LockFinding: Sendable {
    public var problem = LockProblem.none
    /// The class of `bothOrders` and `interrupted`.
    public var number = 0
    public var usage: LockUsage = []
    public var path = LockPath()

    public init() {}
}
