// The locks that a CPU holds, the last taken on top. Threads never switch while they hold a spin lock, and interrupts
// let go of theirs before they end, so one stack for each CPU holds them all.

import Machine

/// Whose lock it is: an interrupt's are no part of the order of what it interrupted.
public enum LockContext: UInt8, Sendable {
    case task, softInterrupt, hardInterrupt
}

public struct HeldLock: Sendable {
    public var number = 0
    public var address: UInt = 0
    public var context = LockContext.task
    /// Where it was taken.
    public var trace = StackTrace()

    public init() {}
    public init(number: Int, address: UInt, context: LockContext, trace: StackTrace) {
        self.number = number
        self.address = address
        self.context = context
        self.trace = trace
    }
}

/// Deeper locks are forgotten, and so is their release.
public struct HeldLocks: ~Copyable {
    public static let limit = 16
    private var locks = InlineArray<16, HeldLock>(repeating: HeldLock())
    public private(set) var count = 0

    public init() {}

    public subscript(index: Int) -> HeldLock { locks[index] }

    public mutating func push(_ lock: HeldLock) {
        guard count < Self.limit else { return }
        locks[count] = lock
        count += 1
    }

    /// Takes the lock out, wherever in the stack it is.
    public mutating func remove(address: UInt) {
        var index = count - 1
        while index >= 0, locks[index].address != address { index -= 1 }
        guard index >= 0 else { return }
        while index + 1 < count {
            locks[index] = locks[index + 1]
            index += 1
        }
        count -= 1
    }

    /// Index of the lock of this address, if it is held.
    public func index(of address: UInt) -> Int? {
        for index in 0..<count where locks[index].address == address { return index }
        return nil
    }
}
