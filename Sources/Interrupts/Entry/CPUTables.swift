// What each CPU needs before it can take an exception: GDT, TSS with the entry stacks, IDT, GS base, and the
// registers of the `syscall` instruction.
//
// The word above each entry stack's top holds the address of the CPU's area, with which the paranoid
// entry code finds the kernel's GS (CMachine/X86/entry_paranoid.S).

#if APUS_KERNEL
    import CMachine
    import Machine
    import Primitives

    /// Tops of the stacks that belong to a CPU and not to a thread; each 16-byte aligned, and for the entry
    /// stacks with a word above the top.
    public struct CPUStacks: Sendable {
        public var doubleFault: UInt
        public var nonMaskable: UInt
        public var machineCheck: UInt
        public var debug: UInt
        public var interrupt: UInt
        public var softInterrupt: UInt

        public init(
            doubleFault: UInt, nonMaskable: UInt, machineCheck: UInt, debug: UInt, interrupt: UInt,
            softInterrupt: UInt
        ) {
            self.doubleFault = doubleFault
            self.nonMaskable = nonMaskable
            self.machineCheck = machineCheck
            self.debug = debug
            self.interrupt = interrupt
            self.softInterrupt = softInterrupt
        }

        /// The boot CPU's static ones, without guard pages: until `KernelStack` can give better ones.
        static var boot: CPUStacks {
            CPUStacks(
                doubleFault: entry_boot_stack_top(0) - 16, nonMaskable: entry_boot_stack_top(1) - 16,
                machineCheck: entry_boot_stack_top(2) - 16, debug: entry_boot_stack_top(3) - 16,
                interrupt: entry_boot_stack_top(4), softInterrupt: entry_boot_stack_top(5))
        }
    }

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

        /// The boot CPU's tables, before there is a heap. First thing in Swift; interrupts are off.
        public static func loadBoot() {
            InterruptDescriptorTable.build()
            ExceptionTable.sortKernel()
            // The static area and tables are the boot CPU's own.
            unsafe load(
                machine_boot_cpu_area(), tables: machine_boot_cpu_tables(), stacks: .boot, cpu: 0)
        }

        /// Loads the tables into the CPU that runs this, whose area is `area`, and sets GS base. Interrupts
        /// are off. `tables` must live as long as the kernel.
        @unsafe public static func load(
            _ area: UnsafeMutablePointer<cpu_area>, tables: UnsafeMutablePointer<cpu_tables>,
            stacks: CPUStacks, cpu: Int
        ) {
            // Both pointers are the caller's promise.
            unsafe area.pointee.`self` = area
            unsafe area.pointee.index = UInt32(truncatingIfNeeded: cpu)
            unsafe area.pointee.tss =
                UInt(bitPattern: tables) + taskStateOffset
            unsafe fillDescriptors(tables, cpu)
            unsafe use(stacks, area, tables)
            machine_load_tables(UInt64(UInt(bitPattern: tables)), InterruptDescriptorTable.address)
            MSR.gsBase.write(UInt64(UInt(bitPattern: area)))
            MSR.kernelGSBase.write(0)
            MSR.systemCallTarget.write(systemCallSelectors)
            MSR.longSystemCallTarget.write(UInt64(entry_syscall()))
            MSR.compatibilitySystemCallTarget.write(UInt64(entry_syscall32()))
            MSR.systemCallFlagMask.write(systemCallFlagMask)
            MSR.extendedFeatures.write(MSR.extendedFeatures.read() | systemCallEnable)
        }

        private static func fillDescriptors(_ tables: UnsafeMutablePointer<cpu_tables>, _ cpu: Int) {
            let tssBase =
                UInt64(UInt(bitPattern: tables)) + UInt64(taskStateOffset)
            let tss = SegmentDescriptor.taskState(
                base: tssBase, limit: UInt32(MemoryLayout<task_state_segment>.size - 1))
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
            func setArea(_ top: UInt) {
                // The word above the top belongs to the stack (see CPUStacks).
                unsafe UnsafeMutablePointer<UInt>(bitPattern: top)!.pointee = UInt(bitPattern: area)
            }
            setArea(stacks.doubleFault)
            setArea(stacks.nonMaskable)
            setArea(stacks.machineCheck)
            setArea(stacks.debug)
            unsafe tables.pointee.tss.ist1 = UInt64(stacks.doubleFault)
            unsafe tables.pointee.tss.ist2 = UInt64(stacks.nonMaskable)
            unsafe tables.pointee.tss.ist3 = UInt64(stacks.machineCheck)
            unsafe tables.pointee.tss.ist4 = UInt64(stacks.debug)
            // The entry code pushes one word before the call, which must leave the stack aligned.
            unsafe area.pointee.irq_stack_top = stacks.interrupt - 8
            unsafe area.pointee.softirq_stack_top = stacks.softInterrupt
        }
    }
#endif
