// The C-callable functions that the entry code calls for interrupts and NMIs.
//
// One interrupt: gate -> stub (vector number) -> interrupt_dispatcher (entry.S: PtRegs, per-CPU interrupt
// stack, count of nested interrupts) -> interruptEntry -> Vectors.dispatch -> the vector's handler ->
// back in entry.S: soft IRQs if any are pending (which room Deferred runs), the thread's work or a reschedule, IRETQ.

#if APUS_KERNEL
    import CMachine
    import Machine
    @_spi(ContextEntry) import Primitives

    /// A hard interrupt, on the interrupt stack with interrupts off; orig_ax is the vector.
    @c(apus_interrupt) @_noAllocation
    public func interruptEntry(_ regs: UnsafeMutablePointer<PtRegs>) {
        // The entry code passes the frame it has just built.
        let number = unsafe UInt8(truncatingIfNeeded: regs.pointee.orig_ax)
        #if APUS_DEBUG_LOCKS
            InterruptFlagHooks.tellWentOff()
            defer { Lockdep.interruptsGoOn() }
        #endif
        Vectors.dispatch(number, HardInterruptContext())
    }

    /// The interrupted kernel code is preemptible and a reschedule is wanted; interrupts are off.
    @c(apus_interrupt_exit_preempt) @_noAllocation
    public func interruptExitPreempt() {
        ExitHooks.reschedule()
        InterruptFlag.disable()
    }

    /// The hook's indirect call: what it runs is another thread's business.
    private enum ExitHooks {
        @_semantics("no_performance_analysis")
        static func reschedule() { unsafe PreemptionHook.reschedule?() }
    }

    /// A non-maskable interrupt, on its own stack.
    @c(apus_nmi) @_noAllocation
    public func nmiEntry(_ regs: UnsafeMutablePointer<PtRegs>) {
        CPUArea.count(vector: Vector.nonMaskable.number)
        unsafe stopIfPanicked(regs)
        if unsafe answerBacktrace(regs) { return }
        NonMaskable.dispatch(NMIContext())
    }

    @_semantics("no_performance_analysis")
    private func answerBacktrace(_ regs: UnsafeMutablePointer<PtRegs>) -> Bool {
        // The entry code's frame.
        unsafe CPUBacktrace.answer(regs.pointee)
    }

    @_semantics("no_performance_analysis")
    private func stopIfPanicked(_ regs: UnsafeMutablePointer<PtRegs>) {
        if Panic.isInProgress { unsafe Panic.stopHere(regs.pointee) }
    }
#endif
