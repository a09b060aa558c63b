// What other CPUs are doing, told by themselves in an NMI: for a CPU that does not answer, and for
// `echo l > /proc/sysrq-trigger`.

import Machine
import Primitives
import Synchronization

#if APUS_KERNEL
    import CMachine
#endif

public enum CPUBacktrace {
    /// Who has been asked and not answered yet, a bit for each CPU.
    private static let asked0 = Atomic<UInt64>(0)
    private static let asked1 = Atomic<UInt64>(0)
    private static let asked2 = Atomic<UInt64>(0)
    private static let asked3 = Atomic<UInt64>(0)
    /// How long to wait for answers, in turns of a microsecond or so.
    private static let patience = 3_000_000

    private static func withWord<R>(_ cpu: Int, _ body: (borrowing Atomic<UInt64>) -> R) -> R {
        switch cpu >> 6 {
        case 0: body(asked0)
        case 1: body(asked1)
        case 2: body(asked2)
        default: body(asked3)
        }
    }

    private static func isAsked(_ cpu: Int) -> Bool {
        withWord(cpu) { $0.load(ordering: .acquiring) } >> UInt64(cpu & 63) & 1 != 0
    }

    /// Asks the online CPUs of `mask`, of which this may be one, for their backtraces, and waits for a while. Any
    /// context but NMI. Two who ask at once share the answers.
    public static func request(_ mask: CPUMask) {
        let here = CPU.index
        var others = mask.intersection(CPUs.online)
        if others.contains(here) {
            others.remove(here)
            printHere()
        }
        others.forEach { cpu in
            let bit: UInt64 = 1 << UInt64(cpu & 63)
            _ = withWord(cpu) { $0.bitwiseOr(bit, ordering: .sequentiallyConsistent) }
            CPUSignal.sendNMI(cpu: cpu)
            wait(for: cpu)
        }
    }

    private static func wait(for cpu: Int) {
        #if APUS_KERNEL
            for _ in 0..<patience where isAsked(cpu) { Spin.pause() }
            if isAsked(cpu) { printk(.alert, "CPU \(cpu) does not answer an NMI") }
        #endif
        forget(cpu)
    }

    @discardableResult
    private static func forget(_ cpu: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(cpu & 63)
        return withWord(cpu) { $0.bitwiseAnd(~bit, ordering: .acquiringAndReleasing).oldValue } & bit != 0
    }

    #if APUS_KERNEL
        /// In an NMI: answers if this CPU was asked; whether it was.
        static func answer(_ regs: PtRegs) -> Bool {
            let cpu = CPU.index
            guard isAsked(cpu) else { return false }
            printk(.emergency, "NMI backtrace for CPU \(cpu)")
            printk(.emergency, Panic.threadLine())
            if regs.isUserMode {
                printk(.emergency, " <user mode at 0x\(hex: regs.ip, digits: 12)>")
            } else {
                Backtrace.print(ip: UInt(regs.ip), framePointer: UInt(regs.bp))
            }
            forget(cpu)
            return true
        }
    #endif

    /// The backtrace of the code that calls this. Any context.
    public static func printHere() {
        #if APUS_KERNEL
            printk(.emergency, Panic.threadLine())
            Backtrace.print(
                ip: UInt(CheckedMemory.load(VirtualAddress(UInt(machine_frame_pointer()) + 8)) ?? 0),
                framePointer: UInt(machine_frame_pointer()))
        #endif
    }
}

/// Names of functions for reports.
public enum KernelNames {
    /// `name+0xoffset/0xsize` of the kernel's function at `address`, or the bare address.
    public static func name(_ address: UInt) -> LogMessage {
        #if APUS_KERNEL
            return KernelSymbols.name(address)
        #else
            return "0x\(hex: address)"
        #endif
    }
}
