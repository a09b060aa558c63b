// The boot CPU's way from assembly to the first program, in order. The one place that knows every room.

import CMachine
import Devices
import KernelTests
import Machine
import Primitives

/// First Swift code of the boot CPU: boot tables, boot stack, interrupts and preemption off.
@c(apus_kernel_main)
public func kernelMain(startInfo: UInt64, entryTSC: UInt64) {
    startConsole()
    printk(.notice, "Apus, an SMP kernel for x86-64 in Swift")
    if let missing = CPUFeatures.missing() { bootFailure("this CPU lacks \(missing), which Apus needs") }
    CPUFeatures.enable()
    let boot = BootInformation(startInfo: startInfo, entryTSC: entryTSC)
    let options = readOptions(boot.commandLine)
    startMemory(boot)
    _ = options
}

private func startConsole() {
    EarlyConsole.initialize()
    // Set before any other CPU runs.
    unsafe LogHooks.console = { EarlyConsole.put($0) }
}

private func readOptions(_ line: CommandLine) -> KernelOptions {
    printk(.info, "Command line: \(line.text)")
    do {
        let options = try KernelOptions(line)
        // Set before any other CPU runs.
        unsafe LogHooks.consoleLevel = options.consoleLevel
        for word in options.unknown {
            printk(.warning, "apus: unknown option on the command line: \(word) (passed on to init)")
        }
        return options
    } catch {
        switch error {
        case .unknown(let word): bootFailure("unknown option on the command line: \(word)")
        case .badValue(let word): bootFailure("bad value on the command line: \(word)")
        }
    }
}

/// The kernel's own page tables.
private func startMemory(_ boot: BootInformation) {
    let usable = boot.memoryMap.reduce(0) { $1.kind == .usable ? $0 + $1.size : $0 }
    if usable < 16 << 20 { bootFailure("too little memory: \(usable >> 20) MiB usable, Apus needs 16 MiB") }
    let map = KernelMap(boot.memoryMap, gigabytePages: CPUFeatures.hasGigabytePages)
    machine_write_cr3(map.root)
    printk(.info, "Memory: \(usable >> 10) KiB usable")
}
