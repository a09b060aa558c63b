// The stacks that belong to a CPU and not to a thread: for #DF, NMI, #MC and #DB, which come in any state,
// for interrupts, and for soft IRQs.

#if APUS_KERNEL
    import CMachine
    import Machine
    import Memory

    /// Tops of the stacks, 16-byte aligned. The word above the top of each of the first four holds the address
    /// of the CPU's area, with which the entry code finds the kernel's GS (CMachine/X86/entry_paranoid.S).
    struct CPUStacks {
        var doubleFault: UInt
        var nonMaskable: UInt
        var machineCheck: UInt
        var debug: UInt
        var interrupt: UInt
        var softInterrupt: UInt

        private static let above: UInt = 16

        /// The boot CPU's static ones, without guard pages.
        static var boot: CPUStacks {
            CPUStacks(
                doubleFault: entry_boot_stack_top(0) - above, nonMaskable: entry_boot_stack_top(1) - above,
                machineCheck: entry_boot_stack_top(2) - above, debug: entry_boot_stack_top(3) - above,
                interrupt: entry_boot_stack_top(4), softInterrupt: entry_boot_stack_top(5))
        }

        /// New ones with guard pages, for good; nil when there is no memory.
        static func allocate() -> CPUStacks? {
            guard let doubleFault = KernelStack.allocate(), let nonMaskable = KernelStack.allocate(),
                let machineCheck = KernelStack.allocate(), let debug = KernelStack.allocate(),
                let interrupt = KernelStack.allocate(), let softInterrupt = KernelStack.allocate()
            else { return nil }
            return CPUStacks(
                doubleFault: doubleFault.top.value - above, nonMaskable: nonMaskable.top.value - above,
                machineCheck: machineCheck.top.value - above, debug: debug.top.value - above,
                interrupt: interrupt.top.value, softInterrupt: softInterrupt.top.value)
        }

        /// Writes the address of the CPU's area above the tops.
        func mark(area: UInt) {
            func set(_ top: UInt) {
                // The word above the top belongs to the stack.
                unsafe UnsafeMutablePointer<UInt>(bitPattern: top)!.pointee = area
            }
            set(doubleFault)
            set(nonMaskable)
            set(machineCheck)
            set(debug)
        }
    }
#endif
