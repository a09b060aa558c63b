// Backtraces: a walk along the frame pointers, which the whole kernel keeps.
//
// An odd frame pointer is the entry code's: it is the address of a PtRegs plus one, where an exception or
// interrupt came in. Every read goes through the exception table, so a broken chain ends the walk and
// nothing else.

#if APUS_KERNEL
    import CMachine
    import Machine
    import Primitives

    enum Backtrace {
        /// Prints the callers of the code at `ip` whose frame pointer is `framePointer`. Any context.
        static func print(ip: UInt, framePointer: UInt, limit: Int = 32) {
            printk(.emergency, "Call trace:")
            printk(.emergency, " \(KernelSymbols.name(ip))")
            var frame = framePointer
            for _ in 0..<limit {
                guard let next = step(frame) else { return }
                frame = next
            }
            printk(.emergency, " ...")
        }

        /// Prints what `frame` belongs to; the next frame, or nil at the end.
        private static func step(_ frame: UInt) -> UInt? {
            guard frame >= KernelLayout.userEnd else { return nil }
            if frame & 1 != 0 { return interruption(frame - 1) }
            guard frame & 7 == 0, let next = load(frame), let returnAddress = load(frame + 8),
                returnAddress >= KernelLayout.userEnd
            else { return nil }
            // The call is the instruction before the one it returns to.
            printk(.emergency, " \(KernelSymbols.name(returnAddress - 1))")
            return next
        }

        /// A PtRegs in the chain.
        private static func interruption(_ regs: UInt) -> UInt? {
            guard let ip = load(regs + UInt(PT_IP)), let segment = load(regs + UInt(PT_CS)),
                let next = load(regs + UInt(PT_BP))
            else { return nil }
            if segment & 3 != 0 {
                printk(.emergency, " <user mode at 0x\(hex: ip, digits: 12)>")
                return nil
            }
            printk(.emergency, " <interrupted> \(KernelSymbols.name(ip))")
            return next
        }

        private static func load(_ address: UInt) -> UInt? {
            CheckedMemory.load(VirtualAddress(address)).map { UInt($0) }
        }
    }
#endif
