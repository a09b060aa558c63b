// The arguments of a system call, as the program left them in its registers: nothing about them
// has been checked.

import Machine

/// Arguments in the order of the ABI (rdi, rsi, rdx, r10, r8, r9), read where the entry code has saved them. Valid during
/// the call; a call that changes the thread's registers reads its arguments before.
@safe public struct SystemCallArguments: @unchecked Sendable {
    /// The words of PtRegs from r10 to rdi: r10, r9, r8, rax, rcx, rdx, rsi, rdi.
    private let words: UnsafePointer<UInt>
    /// Where they begin in PtRegs.
    private static let offset = 7

    /// Of the registers that lie on the thread's stack until the call is over.
    @inline(__always)
    public init(_ registers: UnsafePointer<PtRegs>) {
        unsafe words = UnsafeRawPointer(registers).assumingMemoryBound(to: UInt.self) + Self.offset
    }

    /// Of eight words in the order of the registers above, which outlive the call.
    @inline(__always)
    public init(words: UnsafePointer<UInt>) { unsafe self.words = words }

    @inline(__always) public var a0: UInt { unsafe words[7] }
    @inline(__always) public var a1: UInt { unsafe words[6] }
    @inline(__always) public var a2: UInt { unsafe words[5] }
    @inline(__always) public var a3: UInt { unsafe words[0] }
    @inline(__always) public var a4: UInt { unsafe words[2] }
    @inline(__always) public var a5: UInt { unsafe words[1] }
}

extension UInt {
    /// The C `int` a program passed: the low half of the register, the rest is not defined.
    @inline(__always)
    var asInt32: Int32 { Int32(truncatingIfNeeded: self) }

    /// The C `unsigned int` a program passed.
    @inline(__always)
    var asUInt32: UInt32 { UInt32(truncatingIfNeeded: self) }

    /// The C `long` a program passed.
    @inline(__always)
    var asInt: Int { Int(bitPattern: self) }
}
