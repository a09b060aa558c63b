// Page faults: the user's, and the kernel's on user memory, are resolved by the address space; what it
// cannot resolve becomes a signal, or ends at the exception table's fixup.

#if APUS_KERNEL
    import Machine
    import Memory
    @_spi(ContextEntry) import Primitives

    enum PageFault {
        private static let smap: UInt64 = 1 << 21

        /// Interrupts are off, so that CR2 is still this fault's.
        @unsafe static func handle(_ regs: UnsafeMutablePointer<PtRegs>, _ code: PageFaultCode) {
            let address = VirtualAddress(UInt(ControlRegister.cr2))
            if code.isReservedBit { unsafe die(regs, address, code) }
            if unsafe regs.pointee.isUserMode {
                unsafe fromUser(regs, address, code)
            } else {
                unsafe fromKernel(regs, address, code)
            }
        }

        private static func access(_ code: PageFaultCode) -> FaultAccess {
            code.isInstructionFetch ? .execute : code.isWrite ? .write : .read
        }

        private static func fromUser(
            _ regs: UnsafeMutablePointer<PtRegs>, _ address: VirtualAddress, _ code: PageFaultCode
        ) {
            InterruptFlag.enable()
            if isBarredFromProcessor(address, code) {
                let exception = UserException(
                    signal: UserException.Number.segment, code: UserException.Code.noAccess,
                    address: address.value)
                return unsafe Exceptions.deliver(exception, regs, code.rawValue, .pageFault)
            }
            let result = AddressSpace.handleCurrentFault(at: address, access: access(code), TaskContext())
            switch result {
            case .resolved: return
            case .signal(let number, let signalCode):
                let exception = UserException(signal: number, code: signalCode, address: address.value)
                // Nobody is told what of the kernel's half is mapped.
                let error = address.value >= KernelLayout.userEnd ? code.rawValue | 1 : code.rawValue
                unsafe Exceptions.deliver(exception, regs, error, .pageFault)
            case .outOfMemory:
                // The access is tried again once the victim, perhaps this program itself, is gone.
                if MemoryHooks.callOutOfMemory() { return PreemptCount.setNeedResched() }
                let exception = UserException(
                    signal: UserException.Number.kill, code: UserException.Code.kernel, address: 0)
                unsafe Exceptions.deliver(exception, regs, code.rawValue, .pageFault)
            }
        }

        /// Whether SMAP stopped an access that the processor made with the kernel's rights for an instruction of the
        /// program (a far return, say, whose stack QEMU reads so): resolving it would bring the same fault again.
        private static func isBarredFromProcessor(_ address: VirtualAddress, _ code: PageFaultCode) -> Bool {
            !code.isUser && code.isProtection && address.value < KernelLayout.userEnd
                && ControlRegister.cr4 & smap != 0
        }

        /// The kernel touches user memory only in instructions that the exception table names.
        private static func fromKernel(
            _ regs: UnsafeMutablePointer<PtRegs>, _ address: VirtualAddress, _ code: PageFaultCode
        ) {
            let instruction = unsafe UInt(regs.pointee.ip)
            guard let fixup = ExceptionTable.kernel.fixup(for: instruction),
                unsafe !isBarred(regs.pointee, address, code)
            else { unsafe die(regs, address, code) }
            let mayResolve = unsafe mayWait(regs.pointee) && address.value < KernelLayout.userEnd
            if mayResolve, resolve(address, code) { return }
            unsafe regs.pointee.ip = UInt64(fixup)
        }

        /// Whether SMAP stopped the access: resolving it would bring the same fault again.
        private static func isBarred(_ regs: PtRegs, _ address: VirtualAddress, _ code: PageFaultCode) -> Bool
        {
            code.isProtection && address.value < KernelLayout.userEnd
                && regs.flags & FlagsRegister.alignmentCheck == 0 && ControlRegister.cr4 & smap != 0
        }

        /// Whether the interrupted code runs for a thread and holds nothing that others wait for.
        private static func mayWait(_ regs: PtRegs) -> Bool {
            regs.hadInterruptsOn && PreemptCount.value & ~PreemptCount.noReschedule == 0
        }

        /// Whether the access may be tried again.
        private static func resolve(_ address: VirtualAddress, _ code: PageFaultCode) -> Bool {
            InterruptFlag.enable()
            defer { InterruptFlag.disable() }
            let result = AddressSpace.handleCurrentFault(at: address, access: access(code), TaskContext())
            switch result {
            case .resolved: return true
            case .signal: return false
            case .outOfMemory:
                // A thread that is itself to die must leave the kernel for it.
                return MemoryHooks.callOutOfMemory() && CPUArea.returnWork == 0
            }
        }

        private static func die(
            _ regs: UnsafeMutablePointer<PtRegs>, _ address: VirtualAddress, _ code: PageFaultCode
        ) -> Never {
            if let owner = StackGuard.owner(of: address) {
                unsafe Panic.panic("stack overflow: \(owner), at 0x\(hex: address.value)", regs)
            }
            let message: LogMessage =
                "page fault at 0x\(hex: address.value), error code 0x\(hex: code.rawValue) (\(code.description))"
            if !code.isReservedBit { unsafe Oops.endThread(message, regs) }
            unsafe Panic.panic(message, regs)
        }
    }

    extension MemoryHooks {
        static func callOutOfMemory() -> Bool { unsafe outOfMemory?() ?? false }
    }
#endif
