// The registers of an interrupted context, as the entry code saves them on a kernel stack.

import CMachine

/// Saved registers: r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
/// flags, sp, ss, lowest address first.
public typealias PtRegs = pt_regs

extension PtRegs {
    /// All registers zero.
    public static var zero: PtRegs { PtRegs() }

    /// Whether the context was in user mode: the privilege level in the saved code segment.
    @inline(__always)
    public var isUserMode: Bool { cs & 3 != 0 }

    /// Whether the context had interrupts on.
    @inline(__always)
    public var hadInterruptsOn: Bool { flags & FlagsRegister.interrupt != 0 }
}

/// Bits of RFLAGS (Intel SDM volume 1, 3.4.3).
public enum FlagsRegister {
    public static let carry: UInt64 = 1 << 0
    public static let fixed: UInt64 = 1 << 1
    public static let parity: UInt64 = 1 << 2
    public static let adjust: UInt64 = 1 << 4
    public static let zero: UInt64 = 1 << 6
    public static let sign: UInt64 = 1 << 7
    public static let trap: UInt64 = 1 << 8
    public static let interrupt: UInt64 = 1 << 9
    public static let direction: UInt64 = 1 << 10
    public static let overflow: UInt64 = 1 << 11
    public static let ioPrivilege: UInt64 = 3 << 12
    public static let nestedTask: UInt64 = 1 << 14
    public static let resume: UInt64 = 1 << 16
    public static let alignmentCheck: UInt64 = 1 << 18
    public static let identification: UInt64 = 1 << 21

    /// What a user program may set through a signal frame or `ptrace`, as on Linux.
    public static let userSettable =
        carry | parity | adjust | zero | sign | trap | direction | overflow | resume | alignmentCheck
}
