// Whose stack overflowed: below each stack lie pages that are never mapped, so an overflow faults there.

#if APUS_KERNEL
    import CMachine
    import Machine
    import Memory
    import Primitives

    enum StackGuard {
        /// Names the stack below which `address` lies; nil when it lies below none. Any context.
        static func owner(of address: VirtualAddress) -> LogMessage? {
            if address.value &- boot_boot_stack_guard() < pageSize { return "boot stack" }
            guard KernelStack.isGuard(address) else { return nil }
            for cpu in 0..<CPUs.count {
                if let name = name(of: address, on: UInt32(truncatingIfNeeded: cpu)) {
                    return "\(name) stack of CPU \(cpu)"
                }
            }
            return "kernel stack of a thread"
        }

        /// Which of the CPU's own stacks it is.
        private static func name(of address: VirtualAddress, on cpu: UInt32) -> StaticString? {
            func has(_ top: UInt64) -> Bool {
                // The word below the top belongs to the stack.
                top != 0 && KernelStack.isSameSlot(address, VirtualAddress(UInt(top) &- 8))
            }
            if has(cpu_entry_stack_top(cpu, UInt32(EntryStack.doubleFault.rawValue))) {
                return "double fault"
            }
            if has(cpu_entry_stack_top(cpu, UInt32(EntryStack.nonMaskable.rawValue))) { return "NMI" }
            if has(cpu_entry_stack_top(cpu, UInt32(EntryStack.machineCheck.rawValue))) {
                return "machine check"
            }
            if has(cpu_entry_stack_top(cpu, UInt32(EntryStack.debug.rawValue))) { return "debug exception" }
            if has(UInt64(cpu_interrupt_stack_top(cpu))) { return "interrupt" }
            if has(UInt64(cpu_soft_interrupt_stack_top(cpu))) { return "soft interrupt" }
            return nil
        }
    }
#endif
