// The error code of a page fault, decoded (Intel SDM volume 3, 4.7).

import Primitives

/// Bits of a page fault's error code.
public struct PageFaultCode: Equatable, Sendable {
    public let rawValue: UInt
    @inline(__always) public init(_ rawValue: UInt) { self.rawValue = rawValue }

    /// A page was there and its protection forbade the access; else no page was there.
    public var isProtection: Bool { rawValue & 1 != 0 }
    public var isWrite: Bool { rawValue & 2 != 0 }
    /// The access was made by user-mode code.
    public var isUser: Bool { rawValue & 4 != 0 }
    /// A page table has a reserved bit set.
    public var isReservedBit: Bool { rawValue & 8 != 0 }
    public var isInstructionFetch: Bool { rawValue & 16 != 0 }

    /// "write, not present, user mode" for reports.
    var description: LogMessage {
        let access: StaticString = isInstructionFetch ? "instruction fetch" : isWrite ? "write" : "read"
        let reason: StaticString =
            isReservedBit ? "reserved bit set in a page table" : isProtection ? "protection" : "not present"
        let mode: StaticString = isUser ? "user mode" : "kernel mode"
        return "\(access), \(reason), \(mode)"
    }
}
