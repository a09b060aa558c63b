// What the order of locks is kept by: the place in the source where a lock is made, and what has been seen of the locks
// made there.

import Machine

/// Where in the source a lock is made: all locks made there are of one class.
public struct LockSite: Sendable {
    public let file: StaticString
    public let line: UInt32

    public init(_ file: StaticString = #fileID, _ line: UInt32 = #line) {
        self.file = file
        self.line = line
    }

    static func == (a: LockSite, b: LockSite) -> Bool {
        guard a.line == b.line, a.file.utf8CodeUnitCount == b.file.utf8CodeUnitCount else { return false }
        let count = a.file.utf8CodeUnitCount
        // Both are literals with a pointer, alive for ever, and of `count` bytes.
        if unsafe a.file.utf8Start == b.file.utf8Start { return true }
        for index in 0..<count where unsafe a.file.utf8Start[index] != b.file.utf8Start[index] {
            return false
        }
        return true
    }
}

/// How locks of a class have been taken. As sets: what must not be together is found by comparing two.
public struct LockUsage: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// In a hard interrupt.
    public static let inHardInterrupt = LockUsage(rawValue: 1)
    /// In a soft IRQ.
    public static let inSoftInterrupt = LockUsage(rawValue: 2)
    /// Where a hard interrupt can come while the lock is held.
    public static let hardInterruptsOn = LockUsage(rawValue: 4)
    /// Where a soft IRQ can come while the lock is held.
    public static let softInterruptsOn = LockUsage(rawValue: 8)

    static let single: [LockUsage] = [
        .inHardInterrupt, .inSoftInterrupt, .hardInterruptsOn, .softInterruptsOn,
    ]

    /// Where its backtrace is kept; of a single usage.
    var index: Int { rawValue.trailingZeroBitCount & 3 }

    /// The usage that lets this one's holder be interrupted by who wants the lock too, and the other way round.
    var opposite: LockUsage {
        LockUsage(rawValue: rawValue < 4 ? rawValue << 2 : rawValue >> 2)
    }

    public var name: StaticString {
        switch self {
        case .inHardInterrupt: "in a hard interrupt"
        case .inSoftInterrupt: "in a soft IRQ"
        case .hardInterruptsOn: "with interrupts on"
        case .softInterruptsOn: "with soft IRQs on"
        default: "in several ways"
        }
    }
}

/// A class, and how its locks have been taken so far.
struct LockClass {
    var site = LockSite("", 0)
    var usage: LockUsage = []
    /// Where each usage was first seen.
    var usageTraces = InlineArray<4, StackTrace>(repeating: StackTrace())
    /// Whether two of its locks were taken one in the other, the second at a higher or at a lower address; and where first.
    var nestsUpwards = false
    var nestsDownwards = false
    var nestingTrace = StackTrace()
}
