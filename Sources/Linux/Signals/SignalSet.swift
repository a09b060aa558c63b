// A set of signals as user programs pass it: bit n - 1 stands for signal n.

public struct SignalSet: BitwiseCopyable, Equatable, Sendable {
    public var bits: UInt64

    @inline(__always)
    public init(bits: UInt64) { self.bits = bits }
    @inline(__always)
    public init() { bits = 0 }
    @inline(__always)
    public init(_ signal: Signal) { bits = 1 &<< UInt64(signal.number &- 1) }

    public init(_ signals: Signal...) {
        bits = 0
        for signal in signals { insert(signal) }
    }

    @inline(__always)
    public var isEmpty: Bool { bits == 0 }
    @inline(__always)
    public func contains(_ signal: Signal) -> Bool { bits & Self(signal).bits != 0 }
    @inline(__always)
    public func isDisjoint(with other: Self) -> Bool { bits & other.bits == 0 }
    @inline(__always)
    public mutating func insert(_ signal: Signal) { bits |= Self(signal).bits }
    @inline(__always)
    public mutating func remove(_ signal: Signal) { bits &= ~Self(signal).bits }

    /// The signal of the lowest number.
    @inline(__always)
    public var first: Signal? {
        bits == 0 ? nil : Signal(UInt8(truncatingIfNeeded: bits.trailingZeroBitCount) &+ 1)
    }

    @inline(__always)
    public static func & (a: Self, b: Self) -> Self { Self(bits: a.bits & b.bits) }
    @inline(__always)
    public static func | (a: Self, b: Self) -> Self { Self(bits: a.bits | b.bits) }
    @inline(__always)
    public static func - (a: Self, b: Self) -> Self { Self(bits: a.bits & ~b.bits) }

    public static let all = SignalSet(bits: .max)
    /// SIGKILL and SIGSTOP: never in a mask.
    public static let unblockable = SignalSet(bits: 1 << 8 | 1 << 18)
    /// SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU.
    public static let stopping = SignalSet(bits: 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21)
    /// Those, and SIGCONT, which cancels them and is cancelled by them.
    public static let opposites = SignalSet(bits: 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21)
    /// SIGCHLD, SIGURG, SIGWINCH; SIGCONT too once it has continued the process.
    public static let ignoredByDefault = SignalSet(bits: 1 << 16 | 1 << 22 | 1 << 27)
    /// SIGQUIT, ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU, XFSZ, SYS.
    public static let dumpingCore = SignalSet(
        bits: 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 23 | 1 << 24 | 1 << 30)
    /// Raised by the instruction a thread executes, so taken before others: SEGV, BUS, ILL, TRAP, FPE, SYS.
    public static let synchronous = SignalSet(bits: 1 << 3 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 30)
}
