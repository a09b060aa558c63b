// How the machine ends: by `reboot(2)`, or because init has ended.

import CrossCPU
import Interrupts
import Linux
import Machine
import Primitives

enum Shutdown {
    /// Installs what the Linux room calls. Boot, before the first program.
    static func install() {
        // Before any program runs.
        unsafe KernelHooks.shutdown = { kind in
            switch ShutdownKind(rawValue: kind) {
            case .powerOff: Shutdown.powerOff()
            case .restart: Shutdown.restart()
            default: Shutdown.halt()
            }
        }
        unsafe KernelHooks.initExited = { status in Shutdown.initEnded(status) }
    }

    private static func powerOff() {
        printk(.notice, "reboot: Power down")
        Platform.powerOff()
        // Where the firmware has no way: an emulator may still listen.
        ExitPort.leave(0)
        printk(.warning, "this machine cannot be switched off by software")
        stop()
    }

    private static func restart() {
        printk(.notice, "reboot: Restarting system")
        Platform.restart()
    }

    private static func halt() {
        printk(.notice, "reboot: System halted")
        stop()
    }

    /// Tells the emulator init's status; where nobody listens, a panic does what `panic=` says.
    /// - Parameter status: a wait status.
    private static func initEnded(_ status: Int32) {
        let signal = Int(status & 0x7f)
        let code = signal == 0 ? Int(status >> 8 & 0xff) : 128 + signal
        KernelLog.writeRaw("apus: exit status \(code)")
        ExitPort.leave(code)
        Panic.panic("init has ended, exit status \(code)")
    }

    private static func stop() -> Never {
        withPreemptionOff { off in
            // Interrupts are on, and whoever does not stop cannot keep the machine from its end.
            _ = try? CrossCPU.callFunctionMany(CPUs.online, wait: false, off) { _, _ in
                Shutdown.haltThisCPU()
            }
        }
        haltThisCPU()
    }

    private static func haltThisCPU() -> Never {
        InterruptFlag.disable()
        while true { Spin.halt() }
    }
}
