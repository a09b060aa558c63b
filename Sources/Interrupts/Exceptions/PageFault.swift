// Page faults: the user's by demand paging or a signal, the kernel's own accesses to user memory
// through the same and the exception table.

#if APUS_KERNEL
    import CMachine
    import Machine
    import Primitives

    enum PageFault {
        /// Interrupts are off, so that CR2 is still this fault's.
        static func handle(_ regs: UnsafeMutablePointer<PtRegs>, _ code: PageFaultCode) {
            let address = VirtualAddress(UInt(ControlRegister.cr2))
            if unsafe regs.pointee.isUserMode {
                unsafe fromUser(regs, address, code)
            } else {
                unsafe fromKernel(regs, address, code)
            }
        }

        private static func fromUser(
            _ regs: UnsafeMutablePointer<PtRegs>, _ address: VirtualAddress, _ code: PageFaultCode
        ) {
            unsafe Exceptions.deliver(
                UserException(
                    signal: UserException.Number.segment, code: UserException.Code.notMapped,
                    address: address.value), regs, code.rawValue, .pageFault)
        }

        private static func fromKernel(
            _ regs: UnsafeMutablePointer<PtRegs>, _ address: VirtualAddress, _ code: PageFaultCode
        ) {
            if unsafe ExceptionTable.fixUp(&regs.pointee) { return }
            unsafe die(regs, address, code)
        }

        private static func die(
            _ regs: UnsafeMutablePointer<PtRegs>, _ address: VirtualAddress, _ code: PageFaultCode
        ) -> Never {
            printk(.emergency, "page fault: \(code.description)")
            unsafe Panic.panic(
                "page fault at 0x\(hex: address.value), error code 0x\(hex: code.rawValue)", regs)
        }
    }
#endif
