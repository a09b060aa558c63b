// The stack that handlers with SA_ONSTACK run on (sigaltstack(2)).

struct AlternateStack: Equatable {
    var base: UInt = 0
    var size: UInt = 0
    /// As `sigaltstack` set it: SS_DISABLE or SS_AUTODISARM or nothing.
    var flags: UInt32 = Self.disabled

    static let onStack: UInt32 = 1  // SS_ONSTACK
    static let disabled: UInt32 = 2  // SS_DISABLE
    static let autoDisarm: UInt32 = 1 << 31  // SS_AUTODISARM
    /// The smallest stack accepted (MINSIGSTKSZ).
    static let minimumSize: UInt = 2048

    var isEnabled: Bool { size != 0 }

    /// Whether `pointer` lies on it. A stack that disarms itself is never "on": it is given up at delivery.
    func contains(_ pointer: UInt) -> Bool {
        flags & Self.autoDisarm == 0 && pointer > base && pointer &- base <= size
    }

    /// What `sigaltstack` reports with this stack pointer.
    func reportedFlags(_ pointer: UInt) -> UInt32 {
        if !isEnabled { return Self.disabled }
        return (contains(pointer) ? Self.onStack : 0) | flags & Self.autoDisarm
    }
}
