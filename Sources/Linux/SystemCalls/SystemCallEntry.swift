// Where the entry code's call arrives (CMachine/X86/entry_syscall.S): registers in, the result in rax. Interrupts
// are on. Whatever the call left to do for its thread (signals, its end) the way out sees to.

#if APUS_KERNEL
    import Machine
    @_spi(ContextEntry) import Primitives
    import Tasks

    /// `syscall` from 64-bit code.
    @c(apus_system_call)
    public func systemCallEntry(_ registers: UnsafeMutablePointer<PtRegs>) {
        // The entry code's frame on this thread's stack.
        let frame = unsafe registers.pointee
        let arguments = SystemCallArguments(
            UInt(frame.di), UInt(frame.si), UInt(frame.dx), UInt(frame.r10), UInt(frame.r8), UInt(frame.r9))
        let result = SystemCallTable.call(
            UInt(UInt32(truncatingIfNeeded: frame.orig_ax)), arguments, isCompatible: false)
        unsafe registers.pointee.ax = UInt64(bitPattern: Int64(result))
    }

    /// `int $0x80`: the numbers of 32-bit x86, arguments in their registers and cut to 32 bits.
    @c(apus_system_call_int80)
    public func compatibleSystemCallEntry(_ registers: UnsafeMutablePointer<PtRegs>) {
        // The entry code's frame on this thread's stack.
        let frame = unsafe registers.pointee
        unsafe registers.pointee.orig_ax = frame.orig_ax & 0xffff_ffff
        guard let number = CompatibleNumbers.native(UInt32(truncatingIfNeeded: frame.orig_ax)) else { return }
        let arguments = SystemCallArguments(
            UInt(frame.bx & 0xffff_ffff), UInt(frame.cx & 0xffff_ffff), UInt(frame.dx & 0xffff_ffff),
            UInt(frame.si & 0xffff_ffff), UInt(frame.di & 0xffff_ffff), UInt(frame.bp & 0xffff_ffff))
        let result = SystemCallTable.call(number, arguments, isCompatible: true)
        unsafe registers.pointee.ax = UInt64(bitPattern: Int64(result))
    }
#endif
