// The end of the kernel: a report that can be read, all other CPUs stopped, and what `panic=` says.

import Machine
import Primitives
import Synchronization

/// What the panic asks of rooms below; each set once at boot.
public enum PanicHooks {
    /// Appends the name and number of the thread that runs. Any context.
    nonisolated(unsafe) public static var appendThread:
        (@convention(thin) @Sendable (inout LogMessage) -> Void)? = nil
    /// Restarts the machine.
    nonisolated(unsafe) public static var restart: (@convention(c) () -> Void)? = nil
    /// `panic=`: seconds until the machine restarts; 0 never, less at once.
    nonisolated(unsafe) public static var timeout = 0
}

public enum Panic {
    /// The CPU that panicked first, plus one.
    private static let owner = Atomic<Int>(0)
    private static let stoppedCPUs = Atomic<Int>(0)

    /// Whether a CPU has panicked. Any context.
    public static var isInProgress: Bool { owner.load(ordering: .relaxed) != 0 }
}

#if APUS_KERNEL
    import CMachine

    extension Panic {
        /// What isa-debug-exit makes `0x81 + 2 * 62` of, the status of a kernel that failed.
        private static let exitValue: UInt8 = 0x40 + 62
        private static let exitPort = Port(0xf4)
        /// How long the other CPUs get to report and stop.
        private static let stopTurns = 2_000_000

        /// Ends the kernel. Any context.
        public static func panic(_ message: LogMessage) -> Never {
            InterruptFlag.disable()
            begin(message)
            Backtrace.print(ip: returnAddress(), framePointer: UInt(machine_frame_pointer()))
            end()
        }

        /// Ends the kernel because of what happened at `regs`. Any context.
        @unsafe public static func panic(_ message: LogMessage, _ regs: UnsafePointer<PtRegs>) -> Never {
            InterruptFlag.disable()
            begin(message)
            // The caller's frame, on the stack of this CPU.
            unsafe printState(regs.pointee)
            end()
        }

        /// The part of the report that an oops has too: CPU, thread, registers, code, backtrace.
        static func report(_ regs: PtRegs) {
            printThread()
            printState(regs)
        }

        private static func printState(_ regs: PtRegs) {
            RegisterReport.print(regs)
            if !regs.isUserMode { Backtrace.print(ip: UInt(regs.ip), framePointer: UInt(regs.bp)) }
        }

        private static func printThread() {
            printk(.emergency, threadLine())
        }

        /// "CPU: 1 PID: 7 Comm: name".
        static func threadLine() -> LogMessage {
            var line: LogMessage = "CPU: \(CPU.index) "
            if let append = unsafe PanicHooks.appendThread { append(&line) } else { line.append("no thread") }
            return line
        }

        /// Makes this CPU the one that reports; another one that comes later stops, and a panic in
        /// the report ends it.
        private static func begin(_ message: LogMessage) {
            // Before there is a console, the first serial port is asked to take it.
            if unsafe LogHooks.console == nil { unsafe LogHooks.console = { machine_raw_console_put($0) } }
            let me = CPU.index + 1
            let (won, first) = owner.compareExchange(
                expected: 0, desired: me, ordering: .acquiringAndReleasing)
            if !won, first != me { stop() }
            printk(.emergency, "Kernel panic: \(message)")
            if !won { finish() }
            // In case the panic came from a context that is not known to be counted.
            PreemptCount.add(PreemptCount.preemption)
            printThread()
        }

        private static func returnAddress() -> UInt {
            UInt(CheckedMemory.load(VirtualAddress(UInt(machine_frame_pointer()) + 8)) ?? 0)
        }

        private static func end() -> Never {
            stopOthers()
            finish()
        }

        /// Asks all other CPUs by NMI to report and stop, and waits for them for a while.
        private static func stopOthers() {
            let others = CPUs.onlineCount - 1
            guard others > 0, LocalAPIC.isEnabled else { return }
            LocalAPIC.sendNMIToOthers()
            for _ in 0..<stopTurns where stoppedCPUs.load(ordering: .acquiring) < others { Spin.pause() }
            let missing = others - stoppedCPUs.load(ordering: .acquiring)
            if missing > 0 { printk(.emergency, "\(missing) CPUs did not stop") }
        }

        /// In the NMI that the panicking CPU sent.
        static func stopHere(_ regs: PtRegs) -> Never {
            if owner.load(ordering: .acquiring) != CPU.index + 1 {
                var line = threadLine()
                line.append(", stopped")
                printk(.emergency, line)
                if regs.isUserMode {
                    printk(.emergency, " <user mode at 0x\(hex: regs.ip, digits: 12)>")
                } else {
                    Backtrace.print(ip: UInt(regs.ip), framePointer: UInt(regs.bp), limit: 6)
                }
                stoppedCPUs.wrappingAdd(1, ordering: .releasing)
            }
            stop()
        }

        private static func stop() -> Never {
            while true {
                InterruptFlag.disable()
                Spin.halt()
            }
        }

        private static func finish() -> Never {
            let timeout = unsafe PanicHooks.timeout
            printk(.emergency, "---[ end Kernel panic ]---")
            if timeout == 0 { exitPort.write8(exitValue) }
            if timeout != 0 {
                if timeout > 0 { Delay.seconds(timeout) }
                unsafe PanicHooks.restart?()
            }
            stop()
        }
    }
#endif
