// The C-callable functions that the entry code calls for exceptions.
//
// From user mode an exception becomes a signal. From kernel mode it is mended by the exception table, or it
// is the kernel's own mistake: a report and an end.

#if APUS_KERNEL
    import CMachine
    import Machine
    import Memory
    import Primitives

    /// Any exception but NMI, #DF and #MC, and #DB from kernel mode; interrupts are off. `error` is what the processor
    /// pushed, or -1.
    @c(apus_exception)
    public func exceptionEntry(_ regs: UnsafeMutablePointer<PtRegs>, _ error: UInt, _ vector: UInt32) {
        let vector = Vector(UInt8(truncatingIfNeeded: vector))
        #if APUS_DEBUG_LOCKS
            // The entry code passes the frame it has just built on this stack.
            if unsafe regs.pointee.flags & InterruptFlag.mask != 0 { InterruptFlagHooks.tellWentOff() }
        #endif
        // The entry code passes the frame it has just built on this stack.
        if vector == .pageFault {
            unsafe PageFault.handle(regs, PageFaultCode(error))
        } else if unsafe regs.pointee.isUserMode {
            unsafe Exceptions.fromUser(regs, error, vector)
        } else {
            unsafe Exceptions.fromKernel(regs, error, vector)
        }
    }

    /// #DF and #MC, on their own stacks: nothing to go back to.
    @c(apus_fatal_exception)
    public func fatalExceptionEntry(_ regs: UnsafeMutablePointer<PtRegs>, _ error: UInt, _ vector: UInt32) {
        let vector = Vector(UInt8(truncatingIfNeeded: vector))
        if vector == .machineCheck {
            CPUArea.count(vector: vector.number)
            MachineCheck.report()
        }
        if vector == .doubleFault,
            let owner = StackGuard.owner(of: VirtualAddress(UInt(ControlRegister.cr2)))
        {
            unsafe Panic.panic("stack overflow: \(owner), at 0x\(hex: ControlRegister.cr2)", regs)
        }
        unsafe Exceptions.die(regs, error, vector)
    }

    /// #DB in kernel mode: nobody sets breakpoints for the kernel, so it is a user's single step or
    /// breakpoint that came late. It is dropped.
    @c(apus_kernel_debug)
    public func kernelDebugEntry(_ regs: UnsafeMutablePointer<PtRegs>) {
        _ = DebugStatus.take()
        unsafe regs.pointee.flags &= ~FlagsRegister.trap
    }

    /// IRETQ refused the frame of a return to user mode: a signal frame was forged. The registers are those
    /// the thread would have had.
    @c(apus_bad_return_frame)
    public func badReturnFrameEntry(_ regs: UnsafeMutablePointer<PtRegs>) {
        unsafe Exceptions.deliver(
            UserException(
                signal: UserException.Number.segment, code: UserException.Code.kernel, address: 0),
            regs, 0, .generalProtection)
    }

    /// Work before the return to user mode, interrupts off on both sides.
    @c(apus_return_to_user)
    public func returnToUserEntry(_ regs: UnsafeMutablePointer<PtRegs>) {
        repeat {
            InterruptFlag.enable()
            if PreemptCount.needResched { unsafe PreemptionHook.reschedule?() }
            if CPUArea.returnWork != 0 { unsafe ReturnToUserHook.work?(regs) }
            InterruptFlag.disable()
        } while PreemptCount.needResched || CPUArea.returnWork != 0
    }

    enum Exceptions {
        static func fromUser(_ regs: UnsafeMutablePointer<PtRegs>, _ error: UInt, _ vector: Vector) {
            let ip = unsafe UInt(regs.pointee.ip)
            let exception: UserException?
            switch vector {
            case .debug: exception = UserException(debugStatus: DebugStatus.take(), ip: ip)
            case .floatingPoint: exception = UserException(floatingPoint: FloatingPointStatus.x87, ip: ip)
            case .simdFloatingPoint:
                exception = UserException(floatingPoint: FloatingPointStatus.simd, ip: ip)
            default: exception = UserException(plain: vector, ip: ip)
            }
            if let exception {
                unsafe deliver(exception, regs, error, vector)
            } else if vector != .floatingPoint, vector != .simdFloatingPoint {
                unsafe die(regs, error, vector)
            }
        }

        static func fromKernel(_ regs: UnsafeMutablePointer<PtRegs>, _ error: UInt, _ vector: Vector) {
            if unsafe ExceptionTable.fixUp(&regs.pointee) { return }
            unsafe die(regs, error, vector)
        }

        /// Hands the exception to the program; interrupts are on afterwards.
        static func deliver(
            _ exception: UserException, _ regs: UnsafeMutablePointer<PtRegs>, _ error: UInt, _ vector: Vector
        ) {
            guard let deliver = unsafe UserExceptionHook.deliver else {
                unsafe die(regs, error, vector)
            }
            InterruptFlag.enable()
            // Where the processor pushed none, programs see 0.
            let code = vector.pushesErrorCode ? error : 0
            unsafe deliver(
                regs, exception.signal, exception.code, exception.address, Int32(vector.number), code)
        }

        /// An exception that nobody can mend.
        static func die(_ regs: UnsafeMutablePointer<PtRegs>, _ error: UInt, _ vector: Vector) -> Never {
            let mode: StaticString = unsafe regs.pointee.isUserMode ? "user" : "kernel"
            var message: LogMessage = "\(vector.name) in \(mode) mode"
            if vector.pushesErrorCode {
                message = "\(message), error code 0x\(hex: error)\(describe(error, vector))"
            }
            if vector != .doubleFault, vector != .machineCheck { unsafe Oops.endThread(message, regs) }
            unsafe Panic.panic(message, regs)
        }

        /// A selector error code: external event, table, index (Intel SDM volume 3, 6.13).
        private static func describe(_ error: UInt, _ vector: Vector) -> LogMessage {
            switch vector {
            case .invalidTSS, .segmentNotPresent, .stackFault, .generalProtection: break
            default: return ""
            }
            if error == 0 { return "" }
            let external: StaticString = error & 1 != 0 ? "external event, " : ""
            let table: StaticString =
                error & 2 != 0 ? "IDT vector" : error & 4 != 0 ? "LDT entry" : "GDT entry"
            return " (\(external)\(table) \((error & 0xffff) >> 3))"
        }
    }
#endif
