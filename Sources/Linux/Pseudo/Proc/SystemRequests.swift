// /proc/sysrq-trigger: what the kernel does at once for who may ask (sysrq, Linux's Documentation/admin-guide).
//
//     b   restart without a sync      l   backtraces of all CPUs
//     c   crash                       h   what there is

import Interrupts
import Machine
import Primitives

enum SystemRequests {
    static func add(to tree: PseudoTree) {
        tree.add(
            "sysrq-trigger", 0o200,
            store: { bytes, _ throws(Errno) in if bytes.count > 0 { perform(bytes[0]) } }, show: nil)
    }

    /// Other letters get the help.
    private static func perform(_ letter: UInt8) {
        switch letter {
        case UInt8(ascii: "l"):
            printk(.info, "sysrq: Show backtrace of all active CPUs")
            withPreemptionOff { _ in CPUBacktrace.request(CPUs.online) }
        case UInt8(ascii: "b"):
            printk(.emergency, "sysrq: Resetting")
            Platform.restart()
        case UInt8(ascii: "c"):
            printk(.emergency, "sysrq: Trigger a crash")
            fatalError("sysrq triggered crash")
        default:
            printk(.info, "sysrq: HELP : reboot(b) crash(c) show-backtrace-all-active-cpus(l) help(h)")
        }
    }
}
