// Entering and leaving a signal handler.

import Machine
import Memory
import Primitives
import Tasks

extension LinuxTask {
    /// Saves the registers in a frame on the handler's stack and makes them those of the handler's first
    /// instruction. Throws if the stack cannot take the frame.
    func enterHandler(
        _ information: SignalInformation, _ action: SignalAction, _ registers: inout PtRegs,
        _ task: borrowing TaskContext
    ) throws(Errno) {
        rseqAbort(&registers, task)
        // Without a function to return to there is no way back.
        guard action.has(SignalAction.Flag.restorer),
            let place = SignalFramePlace(
                stackPointer: UInt(registers.sp), alternate: alternateStack,
                wantsAlternate: action.has(SignalAction.Flag.onStack), stateSize: ExtendedState.frameSize)
        else { throw .badAddress }
        var frame = SignalFrame(information)
        frame.restorer = UInt64(action.restorer)
        frame.userContext.flags =
            ExtendedState.frameFlag | UserContext.savesStackSegment | UserContext.strictStackSegment
        frame.userContext.stackBase = UInt64(alternateStack.base)
        frame.userContext.stackSize = UInt64(alternateStack.size)
        frame.userContext.stackFlags = alternateStack.flags
        frame.userContext.context = SignalContext(registers)
        frame.userContext.context.error = UInt64(lastFault.error)
        frame.userContext.context.trap = UInt64(lastFault.trap)
        frame.userContext.context.cr2 = UInt64(lastFault.address)
        frame.userContext.context.oldMask = (savedMask ?? blocked).bits
        frame.userContext.context.extendedState = UInt64(place.extendedState)
        frame.userContext.mask = (savedMask ?? blocked).bits
        try ExtendedState.save(to: place.extendedState, task)
        try UserMemory.store(frame, to: UserPointer(place.frame), task)
        // The handler has rounding and masks as the ABI wants them at a function's entry.
        Thread.resetExtendedState(task)

        if alternateStack.flags & AlternateStack.autoDisarm != 0 { alternateStack = AlternateStack() }
        registers.di = UInt64(information.number)
        registers.si = UInt64(place.frame + 312)
        registers.dx = UInt64(place.frame + 8)
        registers.ax = 0
        registers.ip = UInt64(action.handler)
        registers.sp = UInt64(place.frame)
        registers.cs = UInt64(SegmentSelector.userCode)
        registers.ss = UInt64(SegmentSelector.userData)
        registers.flags &= ~(FlagsRegister.direction | FlagsRegister.resume | FlagsRegister.trap)
        registers.orig_ax = .max
        maskForHandler(information.signal, action)
    }

    private func maskForHandler(_ signal: Signal, _ action: SignalAction) {
        savedMask = nil
        var mask = blocked | action.mask
        if !action.has(SignalAction.Flag.noDefer) { mask.insert(signal) }
        setBlocked(mask)
    }

    /// Takes everything back from the frame that the stack pointer is at. Throws for a frame that cannot be read or
    /// loaded; returns what rax shall be.
    func leaveHandler(_ task: borrowing TaskContext) throws(Errno) -> Int {
        var registers = userRegisters
        let address = UInt(registers.sp) &- 8
        let user = try UserMemory.load(UserPointer<UserContext>(address &+ 8), task)
        try ExtendedState.restore(
            from: UInt(user.context.extendedState),
            isExtended: user.flags & UserContext.hasExtendedState != 0, task)
        setBlocked(SignalSet(bits: user.mask))
        user.context.restore(
            &registers, strictStackSegment: user.flags & UserContext.strictStackSegment != 0)
        registers.orig_ax = .max
        setUserRegisters(registers)
        // As on Linux, a stack description that is refused changes nothing.
        _ = try? setAlternateStack(
            StackDescription(
                base: UInt(user.stackBase), flags: user.stackFlags, size: UInt(user.stackSize)),
            stackPointer: UInt(registers.sp))
        return Int(truncatingIfNeeded: registers.ax)
    }

    /// The frame of a handler could not be written: the program gets SIGSEGV instead, and if that was the signal,
    /// without its handler.
    func forceSegmentationFault(_ failed: Signal) {
        if failed == .segmentation {
            process.signals.withLockInterruptsOff { _, _ in
                _ = process.actions.set(SignalAction(), for: .segmentation)
            }
        }
        process.force(.kernel(.segmentation), on: self)
    }
}
