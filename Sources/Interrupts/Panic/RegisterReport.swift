// The registers of a crash, and the code bytes around it, in the layout that Linux users know.

#if APUS_KERNEL
    import CMachine
    import Machine
    import Primitives

    enum RegisterReport {
        static func print(_ regs: PtRegs) {
            if regs.isUserMode {
                printk(.emergency, "RIP: \(hex: regs.cs, digits: 4):0x\(hex: regs.ip)")
            } else {
                printk(.emergency, "RIP: \(hex: regs.cs, digits: 4):\(KernelSymbols.name(UInt(regs.ip)))")
            }
            code(UInt(regs.ip))
            printk(
                .emergency,
                "RSP: \(hex: regs.ss, digits: 4):\(hex: regs.sp, digits: 16) EFLAGS: \(hex: regs.flags, digits: 8)"
            )
            row("RAX", regs.ax, "RBX", regs.bx, "RCX", regs.cx)
            row("RDX", regs.dx, "RSI", regs.si, "RDI", regs.di)
            row("RBP", regs.bp, "R08", regs.r8, "R09", regs.r9)
            row("R10", regs.r10, "R11", regs.r11, "R12", regs.r12)
            row("R13", regs.r13, "R14", regs.r14, "R15", regs.r15)
            row("FS ", MSR.fsBase.read(), "GS ", MSR.gsBase.read(), "knlGS", MSR.kernelGSBase.read())
            row("CR0", ControlRegister.cr0, "CR2", ControlRegister.cr2, "CR3", ControlRegister.cr3)
            printk(.emergency, "CR4: \(hex: ControlRegister.cr4, digits: 16)")
        }

        private static func row(
            _ name0: StaticString, _ value0: UInt64, _ name1: StaticString, _ value1: UInt64,
            _ name2: StaticString, _ value2: UInt64
        ) {
            printk(
                .emergency,
                "\(name0): \(hex: value0, digits: 16) \(name1): \(hex: value1, digits: 16) \(name2): \(hex: value2, digits: 16)"
            )
        }

        /// The bytes around the instruction, the first of which stands in angle brackets.
        private static func code(_ ip: UInt) {
            var line: LogMessage = "Code:"
            for distance in 0..<32 {
                let address = ip &- 12 &+ UInt(distance)
                guard let byte = CheckedMemory.loadByte(VirtualAddress(address)) else { continue }
                if address == ip { line.append(" <") } else { line.append(" ") }
                line.append(hex: UInt64(byte), digits: 2)
                if address == ip { line.append(">") }
            }
            printk(.emergency, line)
        }
    }
#endif
