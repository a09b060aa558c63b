// The local APIC of each CPU: acknowledges interrupts, sends them to other CPUs, and times (Intel SDM
// volume 3, chapter 10). Its registers lie in memory (`XAPIC`) or are model-specific registers (`X2APIC`,
// used wherever CPUID has it, unless the command line says `x2apic=off`); the boot CPU decides once, for all.

import Synchronization

import CMachine

/// The local APIC of the CPU that runs the code, unless said otherwise.
public enum LocalAPIC {
    /// Offsets of the xAPIC; the x2APIC's number is 0x800 + offset / 16.
    enum Register {
        static let identifier = 0x20
        static let version = 0x30
        static let taskPriority = 0x80
        static let endOfInterrupt = 0xb0
        static let logicalDestination = 0xd0
        static let destinationFormat = 0xe0
        static let spurious = 0xf0
        static let inService = 0x100
        static let interruptRequest = 0x200
        static let errorStatus = 0x280
        static let commandLow = 0x300
        static let commandHigh = 0x310
        static let timer = 0x320
        static let thermal = 0x330
        static let performance = 0x340
        static let lint0 = 0x350
        static let lint1 = 0x360
        static let error = 0x370
        static let initialCount = 0x380
        static let currentCount = 0x390
        static let divide = 0x3e0
        /// x2APIC only: an IPI to itself.
        static let selfIPI = 0x3f0
    }

    static let masked: UInt32 = 1 << 16
    private static let baseEnable: UInt64 = 1 << 11
    private static let baseX2APIC: UInt64 = 1 << 10
    private static let softwareEnable: UInt32 = 1 << 8
    private static let deliverNMI: UInt32 = 4 << 8
    private static let deliverExternal: UInt32 = 7 << 8

    /// Written once by the boot CPU, before others run.
    nonisolated(unsafe) private static var window: UInt = 0
    nonisolated(unsafe) private static var usesX2APIC = false
    nonisolated(unsafe) private static var enabled = false
    private static let stuck = Atomic<UInt>(0)

    /// Whether the boot CPU has switched its local APIC on.
    public static var isEnabled: Bool { unsafe enabled }

    /// Whether the registers are model-specific ones.
    public static var isX2APIC: Bool { unsafe usesX2APIC }

    /// Physical address of the xAPIC's registers, 4 KiB.
    public static var physicalBase: PhysicalAddress {
        PhysicalAddress(MSR.apicBase.read() & 0x000f_ffff_ffff_f000)
    }

    // MARK: Registers

    /// The xAPIC's.
    @inline(__always)
    static var registers: MMIO { unsafe MMIO(VirtualAddress(window)) }

    @inline(__always)
    static func read(_ register: Int) -> UInt32 {
        if unsafe usesX2APIC {
            return UInt32(truncatingIfNeeded: msr(register).read())
        }
        return registers.read32(register)
    }

    @inline(__always)
    static func write(_ register: Int, _ value: UInt32) {
        if unsafe usesX2APIC {
            msr(register).write(UInt64(value))
        } else {
            registers.write32(register, value)
        }
    }

    @inline(__always)
    static func msr(_ register: Int) -> MSR {
        MSR(MSR.x2APICBase + UInt32(truncatingIfNeeded: register >> 4))
    }

    // MARK: Set-up

    /// Chooses the mode for all CPUs: x2APIC if the CPU has it, else the xAPIC with its registers at `registers`.
    /// The boot CPU, once, before `enable`.
    public static func configure(registers: VirtualAddress?, hasX2APIC: Bool) {
        unsafe usesX2APIC = hasX2APIC
        unsafe window = registers?.value ?? 0
        // The entry code acknowledges the reschedule interrupt itself.
        machine_set_end_of_interrupt_register(
            registers.map { UInt64($0.value) + UInt64(Register.endOfInterrupt) } ?? 0)
    }

    /// Switches this CPU's local APIC on with every local source masked but errors. Interrupts are off.
    /// - Parameters:
    ///   - spurious: vector of spurious interrupts; those are not acknowledged.
    ///   - error: vector of errors.
    public static func enable(spurious: UInt8, error: UInt8) {
        var base = MSR.apicBase.read()
        if base & baseX2APIC != 0, unsafe !usesX2APIC {
            // The only way back to registers in memory leads through "off" (Intel SDM volume 3, 10.12.5).
            base &= ~(baseEnable | baseX2APIC)
            MSR.apicBase.write(base)
        }
        base |= baseEnable
        MSR.apicBase.write(base)
        if unsafe usesX2APIC {
            base |= baseX2APIC
            MSR.apicBase.write(base)
        }
        if unsafe !usesX2APIC { XAPIC.setLogicalIdentifier(cpu: CPU.index) }
        write(Register.spurious, softwareEnable | UInt32(spurious))
        write(Register.taskPriority, 0)
        write(Register.timer, masked)
        write(Register.lint0, masked | deliverExternal)
        write(Register.lint1, masked | deliverNMI)
        if maximumLVT >= 4 { write(Register.performance, masked) }
        if maximumLVT >= 5 { write(Register.thermal, masked) }
        _ = takeErrors()
        write(Register.error, UInt32(error))
        drain()
        unsafe enabled = true
    }

    /// Acknowledges what a boot loader or an earlier kernel left in service.
    private static func drain() {
        for _ in 0..<256 {
            var inService: UInt32 = 0
            for word in 0..<8 { inService |= read(Register.inService + word * 16) }
            if inService == 0 { return }
            endOfInterrupt()
        }
    }

    private static var maximumLVT: UInt32 { read(Register.version) >> 16 & 0xff }

    /// Makes LINT0 or LINT1 an NMI, as the firmware's table says.
    public static func enableNMI(line: Int) {
        write(line == 0 ? Register.lint0 : Register.lint1, deliverNMI)
    }

    /// Lets the 8259s interrupt this CPU through LINT0.
    public static func enableExternal() { write(Register.lint0, deliverExternal) }

    /// The identifier that IPIs to this CPU are addressed to.
    public static var identifier: UInt32 {
        let value = read(Register.identifier)
        return unsafe usesX2APIC ? value : value >> 24
    }

    // MARK: Interrupts

    /// Ends the interrupt in service with the highest priority. Hard interrupt context; not for the
    /// spurious vector.
    @_semantics("no_performance_analysis") @inline(__always)
    public static func endOfInterrupt() {
        #if APUS_KERNEL
            machine_end_of_interrupt()
        #else
            write(Register.endOfInterrupt, 0)
        #endif
    }

    /// Whether the interrupt of `vector` is in service: whether this CPU waits for its end.
    public static func isInService(_ vector: UInt8) -> Bool {
        read(Register.inService + Int(vector >> 5) * 16) >> (vector & 31) & 1 != 0
    }

    /// Whether an interrupt of `vector` is waiting to be delivered.
    public static func isRequested(_ vector: UInt8) -> Bool {
        read(Register.interruptRequest + Int(vector >> 5) * 16) >> (vector & 31) & 1 != 0
    }

    /// How many commands to other CPUs were not accepted in time and given up.
    public static var stuckCommands: UInt { stuck.load(ordering: .relaxed) }

    static func noteStuckCommand() { stuck.wrappingAdd(1, ordering: .relaxed) }

    /// Switches this CPU's local APIC off: it takes no interrupt but NMI, INIT and start-up. Interrupts are off.
    public static func disable() {
        write(Register.timer, masked)
        write(Register.spurious, read(Register.spurious) & ~softwareEnable)
    }

    /// Reads and clears the errors since the last call (Intel SDM volume 3, 10.5.3).
    public static func takeErrors() -> UInt32 {
        write(Register.errorStatus, 0)
        return read(Register.errorStatus)
    }
}
