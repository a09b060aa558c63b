// What a signal handler finds on its stack: `struct rt_sigframe` of x86-64 (asm/sigcontext.h,
// asm/ucontext.h), in its exact layout. `rt_sigreturn` reads it back: a program may have changed any of it.
//
//   pretcode            where the handler returns to: SA_RESTORER's function
//   ucontext            registers, mask, alternate stack at the time of the signal
//   siginfo             128 bytes
//   (gap) extended state, 64-byte aligned: an XSAVE image between two magic numbers

import Machine

/// `struct sigcontext` for 64-bit programs: 256 bytes.
struct SignalContext: BitwiseCopyable {
    var r8: UInt64 = 0
    var r9: UInt64 = 0
    var r10: UInt64 = 0
    var r11: UInt64 = 0
    var r12: UInt64 = 0
    var r13: UInt64 = 0
    var r14: UInt64 = 0
    var r15: UInt64 = 0
    var di: UInt64 = 0
    var si: UInt64 = 0
    var bp: UInt64 = 0
    var bx: UInt64 = 0
    var dx: UInt64 = 0
    var ax: UInt64 = 0
    var cx: UInt64 = 0
    var sp: UInt64 = 0
    var ip: UInt64 = 0
    var flags: UInt64 = 0
    var cs: UInt16 = 0
    var gs: UInt16 = 0
    var fs: UInt16 = 0
    var ss: UInt16 = 0
    var error: UInt64 = 0
    var trap: UInt64 = 0
    var oldMask: UInt64 = 0
    var cr2: UInt64 = 0
    /// Address of the extended state, 0 for none.
    var extendedState: UInt64 = 0
    private var reserved: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (
        0, 0, 0, 0, 0, 0, 0, 0
    )

    init() {}

    /// Takes the registers over.
    @inline(__always)
    mutating func save(_ registers: PtRegs) {
        r8 = registers.r8
        r9 = registers.r9
        r10 = registers.r10
        r11 = registers.r11
        r12 = registers.r12
        r13 = registers.r13
        r14 = registers.r14
        r15 = registers.r15
        di = registers.di
        si = registers.si
        bp = registers.bp
        bx = registers.bx
        dx = registers.dx
        ax = registers.ax
        cx = registers.cx
        sp = registers.sp
        ip = registers.ip
        flags = registers.flags
        cs = UInt16(truncatingIfNeeded: registers.cs)
        ss = UInt16(truncatingIfNeeded: registers.ss)
    }

    /// Puts the registers back. Selectors come out unprivileged and flags with only what a program may
    /// set; whether the selectors exist and the addresses are canonical, IRETQ checks.
    @inline(__always)
    func restore(_ registers: inout PtRegs, strictStackSegment: Bool) {
        registers.r8 = r8
        registers.r9 = r9
        registers.r10 = r10
        registers.r11 = r11
        registers.r12 = r12
        registers.r13 = r13
        registers.r14 = r14
        registers.r15 = r15
        registers.di = di
        registers.si = si
        registers.bp = bp
        registers.bx = bx
        registers.dx = dx
        registers.ax = ax
        registers.cx = cx
        registers.sp = sp
        registers.ip = ip
        registers.cs = UInt64(cs) | 3
        registers.ss = strictStackSegment ? UInt64(ss) | 3 : UInt64(SegmentSelector.userData)
        registers.flags =
            registers.flags & ~FlagsRegister.userSettable | flags & FlagsRegister.userSettable
    }
}

/// `struct ucontext`: 304 bytes.
struct UserContext: BitwiseCopyable {
    var flags: UInt64 = 0
    var link: UInt64 = 0
    var stackBase: UInt64 = 0
    var stackFlags: UInt32 = 0
    private var padding: UInt32 = 0
    var stackSize: UInt64 = 0
    var context = SignalContext()
    var mask: UInt64 = 0

    static let hasExtendedState: UInt64 = 1  // UC_FP_XSTATE
    static let savesStackSegment: UInt64 = 2  // UC_SIGCONTEXT_SS
    static let strictStackSegment: UInt64 = 4  // UC_STRICT_RESTORE_SS
}

/// `struct rt_sigframe`: 440 bytes.
struct SignalFrame: BitwiseCopyable {
    var restorer: UInt64 = 0
    var userContext = UserContext()
    var information = SignalInformation(number: 0, code: 0)
    private var rest = InlineArray<10, UInt64>(repeating: 0)

    @inline(__always)
    init() {}
}

/// What lies in the reserved bytes 464 to 511 of the saved floating-point image and tells programs, and
/// `rt_sigreturn`, how much of it is valid (`struct _fpx_sw_bytes`).
struct ExtendedStateMark {
    var magic: UInt32 = Self.firstMagic
    /// Bytes of the image and of the second magic number.
    var extendedSize: UInt32 = 0
    var features: UInt64 = 0
    /// Bytes of the image.
    var size: UInt32 = 0
    private var padding: InlineArray<7, UInt32> = InlineArray(repeating: 0)

    static let firstMagic: UInt32 = 0x4650_5853  // FP_XSTATE_MAGIC1
    static let secondMagic: UInt32 = 0x4650_5845  // FP_XSTATE_MAGIC2
    static let offset = 464
}

/// Where a frame goes.
struct SignalFramePlace: Equatable {
    let frame: UInt
    let extendedState: UInt

    static let redZone: UInt = 128
    static let frameSize: UInt = 440

    /// Below the stack pointer and its red zone, or at the top of the alternate stack. Nil if it does not fit
    /// the alternate stack it would go to, or there is no room below at all.
    @inline(__always)
    init?(stackPointer: UInt, alternate: AlternateStack, wantsAlternate: Bool, stateSize: Int) {
        var pointer = stackPointer &- Self.redZone
        var mustStay = alternate.contains(stackPointer)
        if wantsAlternate, alternate.isEnabled, !mustStay {
            pointer = alternate.base &+ alternate.size
            mustStay = true
        }
        extendedState = (pointer &- UInt(bitPattern: stateSize)) & ~63
        // As if a call had pushed its return address: 8 bytes below a multiple of 16.
        frame = ((extendedState &- Self.frameSize) & ~15) &- 8
        guard frame < pointer, pointer <= KernelLayout.userEnd else { return nil }
        if mustStay, frame <= alternate.base { return nil }
    }
}
