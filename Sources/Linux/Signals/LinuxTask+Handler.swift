// Entering and leaving a signal handler.

import Machine
import Memory
import Primitives
import Tasks

/// A signal that was taken, and the handler to be entered for it.
struct TakenSignal {
    var information = SignalInformation(number: 0, code: 0)
    var action = SignalAction()
    /// The thread's mask before the handler's.
    var blocked = SignalSet()
    var savedMask: SignalSet?

    init() {}
}

extension LinuxTask {
    /// Saves the registers in a frame on the handler's stack and makes them those of the handler's first
    /// instruction. Throws if the stack cannot take the frame.
    @inline(__always)
    func enterHandler(
        _ taken: TakenSignal, _ registers: inout PtRegs, _ task: borrowing TaskContext
    ) throws(Errno) {
        if rseq.isRegistered { rseqAbort(&registers, task) }
        // Without a function to return to there is no way back.
        guard taken.action.has(SignalAction.Flag.restorer),
            let place = SignalFramePlace(
                stackPointer: UInt(registers.sp), alternate: alternateStack,
                wantsAlternate: taken.action.has(SignalAction.Flag.onStack),
                stateSize: ExtendedState.frameSize)
        else { throw .badAddress }
        try ExtendedState.save(to: place.extendedState, task)
        try storeFrame(taken, registers, place, task)
        // The handler has rounding and masks as the ABI wants them at a function's entry.
        Thread.resetExtendedState(task)

        if alternateStack.flags & AlternateStack.autoDisarm != 0 { alternateStack = AlternateStack() }
        registers.di = UInt64(truncatingIfNeeded: taken.information.number)
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

    /// Builds the frame on the kernel's stack and writes it at once.
    @inline(__always)
    private func storeFrame(
        _ taken: TakenSignal, _ registers: PtRegs, _ place: SignalFramePlace,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        let mask = (taken.savedMask ?? taken.blocked).bits
        var frame = SignalFrame()
        frame.restorer = UInt64(taken.action.restorer)
        frame.userContext.flags =
            ExtendedState.frameFlag | UserContext.savesStackSegment | UserContext.strictStackSegment
        frame.userContext.stackBase = UInt64(alternateStack.base)
        frame.userContext.stackSize = UInt64(alternateStack.size)
        frame.userContext.stackFlags = alternateStack.flags
        frame.userContext.context.save(registers)
        frame.userContext.context.error = UInt64(lastFault.error)
        frame.userContext.context.trap = UInt64(lastFault.trap)
        frame.userContext.context.cr2 = UInt64(lastFault.address)
        frame.userContext.context.oldMask = mask
        frame.userContext.context.extendedState = UInt64(place.extendedState)
        frame.userContext.mask = mask
        frame.information = taken.information
        try UserMemory.store(from: &frame, to: UserPointer(place.frame), task)
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
            // As on Linux, a stack description that is refused changes nothing.
            _ = try? setAlternateStack(
                StackDescription(
                    base: UInt(user.stackBase), flags: user.stackFlags, size: UInt(user.stackSize)),
                stackPointer: UInt(user.context.sp))
            return Int(truncatingIfNeeded: user.context.ax)
        }
    }

    /// The frame of a handler could not be written: the mask is what it was, and the program gets SIGSEGV instead, and if
    /// that was the signal, without its handler.
    @inline(never)
    func forceSegmentationFault(insteadOf taken: TakenSignal) {
        savedMask = taken.savedMask
        setBlocked(taken.blocked)
        if taken.information.signal == .segmentation {
            process.signals.withLockInterruptsOff { _, _ in
                _ = process.actions.set(SignalAction(), for: .segmentation)
            }
        }
        process.force(.kernel(.segmentation), on: self)
    }
}
