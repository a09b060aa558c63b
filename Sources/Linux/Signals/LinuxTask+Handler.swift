// Entering and leaving a signal handler.

import Machine
import Memory
import Primitives
import Tasks

/// A signal that was taken, and the handler to be entered for it. Each task has one such place, so that nothing of it is
/// copied, nor cleared, on the way to the handler.
struct TakenSignal {
    /// The frame that will be written: its `information` is the signal's. What is not set for each signal stays zero.
    var frame = SignalFrame()
    var action = SignalAction()
    /// The thread's mask before the handler's.
    var blocked = SignalSet()
    var savedMask: SignalSet?

    init() {}

    @inline(__always)
    var signal: Signal { frame.information.signal }
}

extension LinuxTask {
    /// Saves the registers in a frame on the handler's stack and makes them those of the handler's first
    /// instruction. Throws if the stack cannot take the frame.
    @inline(__always)
    func enterHandler(_ registers: inout PtRegs, _ task: borrowing TaskContext) throws(Errno) {
        if rseq.isRegistered { rseqAbort(&registers, task) }
        // Without a function to return to there is no way back.
        guard taken.action.has(SignalAction.Flag.restorer),
            let place = SignalFramePlace(
                stackPointer: UInt(registers.sp), alternate: alternateStack,
                wantsAlternate: taken.action.has(SignalAction.Flag.onStack),
                stateSize: ExtendedState.frameSize)
        else { throw .badAddress }
        try ExtendedState.save(to: place.extendedState, task)
        fillFrame(registers, place)
        try UserMemory.store(from: &taken.frame, to: UserPointer(place.frame), task)
        // The handler has rounding and masks as the ABI wants them at a function's entry.
        Thread.resetExtendedState(task)

        if alternateStack.flags & AlternateStack.autoDisarm != 0 { alternateStack = AlternateStack() }
        registers.di = UInt64(truncatingIfNeeded: taken.frame.information.number)
        registers.si = UInt64(place.frame &+ 312)
        registers.dx = UInt64(place.frame &+ 8)
        registers.ax = 0
        registers.ip = UInt64(taken.action.handler)
        registers.sp = UInt64(place.frame)
        registers.cs = UInt64(SegmentSelector.userCode)
        registers.ss = UInt64(SegmentSelector.userData)
        registers.flags &= ~(FlagsRegister.direction | FlagsRegister.resume | FlagsRegister.trap)
        registers.orig_ax = .max
    }

    /// All of the frame but the signal's information and what is always zero.
    @inline(__always)
    private func fillFrame(_ registers: PtRegs, _ place: SignalFramePlace) {
        let mask = (taken.savedMask ?? taken.blocked).bits
        taken.frame.restorer = UInt64(taken.action.restorer)
        taken.frame.userContext.flags =
            ExtendedState.frameFlag | UserContext.savesStackSegment | UserContext.strictStackSegment
        taken.frame.userContext.stackBase = UInt64(alternateStack.base)
        taken.frame.userContext.stackSize = UInt64(alternateStack.size)
        taken.frame.userContext.stackFlags = alternateStack.flags
        taken.frame.userContext.context.save(registers)
        taken.frame.userContext.context.error = UInt64(lastFault.error)
        taken.frame.userContext.context.trap = UInt64(lastFault.trap)
        taken.frame.userContext.context.cr2 = UInt64(lastFault.address)
        taken.frame.userContext.context.oldMask = mask
        taken.frame.userContext.context.extendedState = UInt64(place.extendedState)
        taken.frame.userContext.mask = mask
    }

    /// Takes everything back from the frame that the stack pointer is at. Throws for a frame that cannot be read or
    /// loaded; returns what rax shall be.
    @inline(__always)
    func leaveHandler(_ task: borrowing TaskContext) throws(Errno) -> Int {
        // The handler's return took the restorer's address off the stack.
        try UserMemory.withLoaded(UserPointer<UserContext>(userStackPointer), task) {
            (user) throws(Errno) -> Int in
            try ExtendedState.restore(
                from: UInt(user.context.extendedState),
                isExtended: user.flags & UserContext.hasExtendedState != 0, task)
            setBlocked(SignalSet(bits: user.mask))
            withUserRegisters { registers in
                user.context.restore(
                    &registers, strictStackSegment: user.flags & UserContext.strictStackSegment != 0)
                registers.orig_ax = .max
            }
            let stack = AlternateStack(
                base: UInt(user.stackBase), size: UInt(user.stackSize), flags: user.stackFlags)
            if stack != alternateStack {
                // As on Linux, a stack description that is refused changes nothing.
                _ = try? setAlternateStack(
                    StackDescription(base: stack.base, flags: stack.flags, size: stack.size),
                    stackPointer: UInt(user.context.sp))
            }
            return Int(truncatingIfNeeded: user.context.ax)
        }
    }

    /// The frame of a handler could not be written: the mask is what it was, and the program gets SIGSEGV instead, and if
    /// that was the signal, without its handler.
    @inline(never)
    func forceSegmentationFault() {
        savedMask = taken.savedMask
        setBlocked(taken.blocked)
        if taken.signal == .segmentation {
            process.signals.withLockInterruptsOff { _, _ in
                _ = process.actions.set(SignalAction(), for: .segmentation)
            }
        }
        process.force(.kernel(.segmentation), on: self)
    }
}
