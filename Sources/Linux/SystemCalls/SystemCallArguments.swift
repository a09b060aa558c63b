// The arguments of a system call, as the program left them in its registers: nothing about them
// has been checked.

/// Arguments in the order of the ABI (rdi, rsi, rdx, r10, r8, r9).
public struct SystemCallArguments: Sendable {
    public let a0: UInt
    public let a1: UInt
    public let a2: UInt
    public let a3: UInt
    public let a4: UInt
    public let a5: UInt

    @inline(__always)
    public init(
        _ a0: UInt = 0, _ a1: UInt = 0, _ a2: UInt = 0, _ a3: UInt = 0, _ a4: UInt = 0, _ a5: UInt = 0
    ) {
        self.a0 = a0
        self.a1 = a1
        self.a2 = a2
        self.a3 = a3
        self.a4 = a4
        self.a5 = a5
    }
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
