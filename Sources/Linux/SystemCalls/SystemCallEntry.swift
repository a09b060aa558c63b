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
        let number = unsafe UInt(UInt32(truncatingIfNeeded: registers.pointee.orig_ax))
        let result = unsafe SystemCallTable.call(
            number, SystemCallArguments(registers), isCompatible: false)
        unsafe registers.pointee.ax = UInt64(bitPattern: Int64(result))
    }

    /// `int $0x80`: the numbers of 32-bit x86, arguments in their registers and cut to 32 bits.
    @c(apus_system_call_int80)
    public func compatibleSystemCallEntry(_ registers: UnsafeMutablePointer<PtRegs>) {
        // The entry code's frame on this thread's stack.
        let number = unsafe UInt32(truncatingIfNeeded: registers.pointee.orig_ax)
        unsafe registers.pointee.orig_ax = UInt64(number)
        guard let native = CompatibleNumbers.native(number) else { return }
        func argument(_ register: UInt64) -> UInt { UInt(register & 0xffff_ffff) }
        // In the order in which native calls have them in PtRegs.
        let words: InlineArray<8, UInt> = unsafe [
            argument(registers.pointee.si), argument(registers.pointee.bp), argument(registers.pointee.di),
            0, 0,
            argument(registers.pointee.dx), argument(registers.pointee.cx), argument(registers.pointee.bx),
        ]
        let result = unsafe words.span.withUnsafeBufferPointer { words in
            // Eight words, so there is a first.
            unsafe SystemCallTable.call(
                native, SystemCallArguments(words: words.baseAddress.unsafelyUnwrapped), isCompatible: true)
        }
        unsafe registers.pointee.ax = UInt64(bitPattern: Int64(result))
    }
#endif
