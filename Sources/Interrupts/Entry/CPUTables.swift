// What each CPU needs before it can take an exception: GDT, TSS with the entry stacks, IDT, GS base, and the
// registers of the `syscall` instruction.

#if APUS_KERNEL
    import CMachine
    import Machine
    import Memory
    import Primitives

    public enum CPUTables {
        /// STAR: SYSCALL loads CS from bits 47:32 and SS from 8 above; SYSRET to 64-bit code loads CS from 16
        /// above bits 63:48 and SS from 8 above.
        private static let systemCallSelectors =
            UInt64(SegmentSelector.user32Code) << 48 | UInt64(SegmentSelector.kernelCode) << 32
        /// Flags that `syscall` clears: the kernel starts with interrupts, single step and direction off and
        /// user memory shut.
        private static let systemCallFlagMask =
            FlagsRegister.carry | FlagsRegister.parity | FlagsRegister.adjust | FlagsRegister.zero
            | FlagsRegister.sign | FlagsRegister.trap | FlagsRegister.interrupt | FlagsRegister.direction
            | FlagsRegister.overflow | FlagsRegister.ioPrivilege | FlagsRegister.nestedTask
            | FlagsRegister.resume | FlagsRegister.alignmentCheck | FlagsRegister.identification
        private static let systemCallEnable: UInt64 = 1
        /// The TSS follows the GDT in `struct cpu_tables`.
        private static let taskStateOffset = UInt(GDT_ENTRIES) * 8

        /// The boot CPU's tables and stacks are static, so that it can take exceptions before there is a heap. First
        /// thing in Swift; interrupts are off.
        public static func loadBoot() {
            InterruptDescriptorTable.build()
            ExceptionTable.sortKernel()
            // The static area and tables are the boot CPU's own.
            let area = unsafe machine_boot_cpu_area()!
            unsafe area.pointee.`self` = area
            unsafe fill(machine_boot_cpu_tables()!, area, .boot)
            unsafe load(area)
        }

        /// Gives the boot CPU stacks with guard pages. The boot CPU, once memory is there; interrupts off. False when
        /// there is no memory.
        public static func useGuardedStacks() -> Bool {
            guard let stacks = CPUStacks.allocate() else { return false }
            // The static area and tables are the boot CPU's own, and none of its entry stacks is in use.
            unsafe use(stacks, machine_boot_cpu_area()!, machine_boot_cpu_tables()!)
            return true
        }

        /// Makes the tables and stacks of a CPU that has not started yet; its area is at `area`, with its number
        /// set. Task context or boot; false when there is no memory.
        public static func prepare(area: UInt) -> Bool {
            guard let stacks = CPUStacks.allocate() else { return false }
            // Never freed: a CPU stays once it has started.
            let tables = UnsafeMutablePointer<cpu_tables>.allocate(capacity: 1)
            unsafe tables.initialize(to: cpu_tables())
            // The boot code passes the address of an area that it has made.
            unsafe fill(tables, UnsafeMutablePointer(bitPattern: area)!, stacks)
            return true
        }

        /// Loads what `prepare` made into the CPU that runs this; GS base points at its area. Interrupts are off.
        public static func loadPrepared() {
            // The area is this CPU's own; its TSS lies behind the GDT.
            let area = unsafe cpu_area_self()!
            let tables = unsafe UnsafeMutablePointer<cpu_tables>(
                bitPattern: area.pointee.tss - taskStateOffset)!
            // A CPU that comes back has marked its TSS busy, which LTR refuses.
            unsafe fillDescriptors(tables, Int(area.pointee.index))
            unsafe load(area)
        }

        private static func fill(
            _ tables: UnsafeMutablePointer<cpu_tables>, _ area: UnsafeMutablePointer<cpu_area>,
            _ stacks: CPUStacks
        ) {
            unsafe area.pointee.tss = UInt(bitPattern: tables) + taskStateOffset
            unsafe fillDescriptors(tables, Int(area.pointee.index))
            unsafe use(stacks, area, tables)
        }

        private static func load(_ area: UnsafeMutablePointer<cpu_area>) {
            let tables = unsafe area.pointee.tss - taskStateOffset
            machine_load_tables(UInt64(tables), InterruptDescriptorTable.address)
            MSR.gsBase.write(UInt64(UInt(bitPattern: area)))
            MSR.kernelGSBase.write(0)
            unsafe cpu_area_bind(area)
            MSR.systemCallTarget.write(systemCallSelectors)
            MSR.longSystemCallTarget.write(UInt64(entry_syscall()))
            MSR.compatibilitySystemCallTarget.write(UInt64(entry_syscall32()))
            MSR.systemCallFlagMask.write(systemCallFlagMask)
            MSR.extendedFeatures.write(MSR.extendedFeatures.read() | systemCallEnable)
        }

        private static func fillDescriptors(_ tables: UnsafeMutablePointer<cpu_tables>, _ cpu: Int) {
            let tss = SegmentDescriptor.taskState(
                base: UInt64(UInt(bitPattern: tables) + taskStateOffset),
                limit: UInt32(MemoryLayout<task_state_segment>.size - 1))
            let gdt = unsafe UnsafeMutableRawPointer(tables).assumingMemoryBound(to: UInt64.self)
            func set(_ selector: UInt16, _ descriptor: UInt64) {
                // The GDT is the structure's first field and has 16 entries; the largest selector is 0x7b.
                unsafe gdt[Int(selector >> 3)] = descriptor
            }
            set(SegmentSelector.kernelCode, SegmentDescriptor.kernelCode.encoded)
            set(SegmentSelector.kernelData, SegmentDescriptor.kernelData.encoded)
            set(SegmentSelector.user32Code, SegmentDescriptor.user32Code.encoded)
            set(SegmentSelector.userData, SegmentDescriptor.userData.encoded)
            set(SegmentSelector.userCode, SegmentDescriptor.userCode.encoded)
            set(SegmentSelector.taskState, tss.low)
            set(SegmentSelector.taskState + 8, tss.high)
            set(SegmentSelector.cpuNumber, SegmentDescriptor.cpuNumber(cpu).encoded)
            // No I/O permission bitmap: its place is past the segment's limit.
            unsafe tables.pointee.tss.io_map_base = UInt16(MemoryLayout<task_state_segment>.size)
        }

        private static func use(
            _ stacks: CPUStacks, _ area: UnsafeMutablePointer<cpu_area>,
            _ tables: UnsafeMutablePointer<cpu_tables>
        ) {
            stacks.mark(area: UInt(bitPattern: area))
            unsafe tables.pointee.tss.ist1 = UInt64(stacks.doubleFault)
            unsafe tables.pointee.tss.ist2 = UInt64(stacks.nonMaskable)
            unsafe tables.pointee.tss.ist3 = UInt64(stacks.machineCheck)
            unsafe tables.pointee.tss.ist4 = UInt64(stacks.debug)
            // The entry code pushes one word before the call, which must leave the stack aligned.
            unsafe area.pointee.irq_stack_top = stacks.interrupt - 8
            // The entry code keeps the old stack pointer at the top.
            unsafe area.pointee.softirq_stack_top = stacks.softInterrupt - 16
        }
    }
#endif
