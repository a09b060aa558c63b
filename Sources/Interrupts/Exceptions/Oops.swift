// A mistake of the kernel in a thread's name: the report is that of a panic, but only the thread ends, if it holds
// nothing that others wait for. Everything else is a panic.

import Machine
import Primitives
import Synchronization

/// How a thread ends in the middle of the kernel.
public enum OopsHook {
    /// Ends the running thread, and its program if it has one; returns only where that is impossible. Called with
    /// interrupts on. Set once at boot.
    nonisolated(unsafe) public static var endThread: (@convention(c) () -> Void)? = nil
}

public enum Oops {
    private static let total = Atomic<UInt>(0)

    /// How many threads have ended this way.
    public static var count: UInt { total.load(ordering: .relaxed) }

    #if APUS_KERNEL
        /// Reports and ends the thread; returns when it is not the thread's business alone: in an interrupt, with interrupts,
        /// preemption or bottom halves off, before there are threads, and once the kernel has panicked.
        @unsafe static func endThread(_ message: LogMessage, _ regs: UnsafeMutablePointer<PtRegs>) {
            guard let end = unsafe OopsHook.endThread, unsafe mayEnd(regs.pointee), !Panic.isInProgress else {
                return
            }
            let number = total.wrappingAdd(1, ordering: .relaxed).newValue
            printk(.emergency, "Oops: \(number): \(message)")
            unsafe Panic.report(regs.pointee)
            printk(.emergency, "---[ end Oops ]---")
            InterruptFlag.enable()
            end()
        }

        private static func mayEnd(_ regs: PtRegs) -> Bool {
            !regs.isUserMode && regs.hadInterruptsOn && PreemptCount.value & ~PreemptCount.noReschedule == 0
        }
    #endif
}
