// Which signal an exception in user mode becomes: number, si_code and address, as on Linux.

import Machine

/// What a user program did, in the terms of `siginfo`.
public struct UserException: Equatable, Sendable {
    public var signal: Int32
    public var code: Int32
    public var address: UInt

    public init(signal: Int32, code: Int32, address: UInt) {
        self.signal = signal
        self.code = code
        self.address = address
    }

    /// Signal numbers and codes of the Linux ABI (asm/signal.h, asm-generic/siginfo.h).
    enum Number {
        static let illegalInstruction: Int32 = 4
        static let trap: Int32 = 5
        static let bus: Int32 = 7
        static let kill: Int32 = 9
        static let arithmetic: Int32 = 8
        static let segment: Int32 = 11
    }

    enum Code {
        /// Sent by the kernel without a better reason (SI_KERNEL).
        static let kernel: Int32 = 0x80
        static let integerDivide: Int32 = 1
        static let floatDivide: Int32 = 3
        static let floatOverflow: Int32 = 4
        static let floatUnderflow: Int32 = 5
        static let floatInexact: Int32 = 6
        static let floatInvalid: Int32 = 7
        static let illegalOperand: Int32 = 2
        static let breakpoint: Int32 = 1
        static let trace: Int32 = 2
        static let hardwareBreakpoint: Int32 = 4
        static let alignment: Int32 = 1
        static let notMapped: Int32 = 1
        static let noAccess: Int32 = 2
        static let controlProtection: Int32 = 10
    }

    /// For exceptions whose signal depends on nothing but the vector; `nil` for those with more to ask.
    init?(plain vector: Vector, ip: UInt) {
        switch vector {
        case .divideError:
            self.init(signal: Number.arithmetic, code: Code.integerDivide, address: ip)
        case .breakpoint: self.init(signal: Number.trap, code: Code.kernel, address: 0)
        case .overflow, .boundRange, .invalidTSS, .generalProtection, .virtualization:
            self.init(signal: Number.segment, code: Code.kernel, address: 0)
        case .invalidOpcode:
            self.init(signal: Number.illegalInstruction, code: Code.illegalOperand, address: ip)
        case .coprocessorSegment:
            self.init(signal: Number.arithmetic, code: Code.kernel, address: 0)
        case .segmentNotPresent, .stackFault:
            self.init(signal: Number.bus, code: Code.kernel, address: 0)
        case .alignmentCheck: self.init(signal: Number.bus, code: Code.alignment, address: 0)
        case .controlProtection:
            self.init(signal: Number.segment, code: Code.controlProtection, address: 0)
        default: return nil
        }
    }

    /// A debug exception: what DR6 says (Intel SDM volume 3, 17.2.3).
    init(debugStatus: UInt64, ip: UInt) {
        let singleStepOrBranch: UInt64 = 1 << 14
        let code =
            debugStatus & singleStepOrBranch != 0
            ? Code.trace : debugStatus & 15 != 0 ? Code.hardwareBreakpoint : Code.breakpoint
        self.init(signal: Number.trap, code: code, address: ip)
    }

    /// A floating-point error: `raised` are the status flags that are not masked, in the order of both
    /// the x87 status word and MXCSR. Nil when there is none: the exception was spurious.
    init?(floatingPoint raised: UInt32, ip: UInt) {
        let code: Int32
        if raised & 0x01 != 0 {
            code = Code.floatInvalid
        } else if raised & 0x04 != 0 {
            code = Code.floatDivide
        } else if raised & 0x08 != 0 {
            code = Code.floatOverflow
        } else if raised & 0x12 != 0 {
            code = Code.floatUnderflow
        } else if raised & 0x20 != 0 {
            code = Code.floatInexact
        } else {
            return nil
        }
        self.init(signal: Number.arithmetic, code: code, address: ip)
    }
}

/// How an exception in user mode reaches the program: set once by Linux before the first program runs.
public enum UserExceptionHook {
    /// (registers, signal, code, address, trap number, error code); called on the thread's stack, with
    /// interrupts on.
    nonisolated(unsafe) public static var deliver:
        (@convention(c) (UnsafeMutablePointer<PtRegs>, Int32, Int32, UInt, Int32, UInt) -> Void)? = nil
}

/// What is done for a thread before it returns to user mode.
public enum ReturnToUserHook {
    /// Called with interrupts on while the thread's flags are not zero (signals, exit); set once by Linux.
    nonisolated(unsafe) public static var work: (@convention(c) (UnsafeMutablePointer<PtRegs>) -> Void)? = nil
}
