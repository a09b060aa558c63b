// The boot CPU's way from assembly to the first program, in order. The one place that knows every room.

import CMachine
import Devices
import Interrupts
import Interrupts
import KernelTests
import Machine
import Memory
import Primitives

/// First Swift code of the boot CPU: boot tables, boot stack, interrupts and preemption off.
@c(apus_kernel_main)
public func kernelMain(startInfo: UInt64, entryTSC: UInt64) {
    CPUTables.loadBoot()
    startConsole()
    printk(.notice, "Apus, an SMP kernel for x86-64 in Swift")
    if let missing = CPUFeatures.missing() { bootFailure("this CPU lacks \(missing), which Apus needs") }
    CPUTables.loadBoot()
    CPUFeatures.enable()
    let boot = BootInformation(startInfo: startInfo, entryTSC: entryTSC)
    let options = readOptions(boot.commandLine)
    let root = MemoryStart.run(boot)
    // Set before anything can panic on another CPU.
    unsafe PanicHooks.timeout = options.panicTimeout
    _ = (options, root)
    Panic.panic("there is nothing to run yet")
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
