// The boot CPU's way from assembly to the first program, in order. The one place that knows every room.

import CrossCPU
import Deferred
import Devices
import Interrupts
import KernelTests
import Machine
import Memory
import Primitives
import Tasks
import Time

/// First Swift code of the boot CPU: boot tables, boot stack, interrupts and preemption off.
@c(apus_kernel_main)
public func kernelMain(startInfo: UInt64, entryTSC: UInt64) {
    CPUTables.loadBoot()
    startConsole()
    printk(.notice, "Apus, an SMP kernel for x86-64 in Swift")
    if let missing = CPUFeatures.missing() { bootFailure("this CPU lacks \(missing), which Apus needs") }
    CPUFeatures.enable()
    CPUFeatures.detect()
    let boot = BootInformation(startInfo: startInfo, entryTSC: entryTSC)
    let options = readOptions(boot.commandLine)
    // Set before any other CPU runs.
    unsafe PanicHooks.timeout = options.panicTimeout
    if let name = options.crash { Crash.runEarly(name) }
    MemoryStart.run(boot)
    if let name = options.crash { Crash.runOnBootStack(name) }
    let topology = PlatformStart.run(boot, options)
    startTasks()
    #if APUS_DEBUG_LOCKS
        LockWatch.start(options)
    #endif
    SecondaryCPUs.start(topology, deaf: options.deafCPU)
    startFirstThread(boot, options, topology)
    enterIdleLoop()
}

/// The end of every CPU's boot: preemption, off since the first instruction, is possible from here on.
func enterIdleLoop() -> Never {
    InterruptFlag.disable()
    _ = PreemptCount.subtractIsZero(PreemptCount.preemption)
    Scheduler.idle()
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

/// The local APICs' timers as clock event devices.
private func startClockEvents() {
    let rates = unsafe Calibration.result
    LocalTimer.boot(
        tscHz: rates.tscHz, countHz: rates.apicTimerHz, hasDeadlineMode: CPUID.readFeatures().hasTSCDeadline)
    LocalTimer.startThisCPU()
}

/// Threads, timers, and soft IRQs with their threads.
private func startTasks() {
    Scheduler.boot(cpuCount: CPUs.count)
    Scheduler.enterCPU()
    CrashReports.install()
    CrossCPU.boot(cpuCount: CPUs.count)
    InterprocessorInterrupts.start()
    Time.boot(cpuCount: CPUs.count)
    if !WallClock.start(RealTimeClock(Platform.clockRegisters)) {
        printk(.warning, "no battery clock: the wall clock begins at 1970")
    }
    startClockEvents()
    LinePolling.install()
    installHotplug()
    do {
        try CPUHotplug.boot()
        try SoftInterrupts.boot(cpuCount: CPUs.count)
        try WorkQueues.boot()
        WorkQueueWatch.start()
    } catch {
        bootFailure("no memory for the first threads")
    }
}

/// What rooms do when a CPU comes or goes. Before the first one does.
private func installHotplug() {
    unsafe CPUHotplug.startCPU = { SecondaryCPUs.restart($0) }
    unsafe CPUHotplug.powerOff = { SecondaryCPUs.powerOff() }
    CPUHotplug.register(.interrupts, down: { @Sendable cpu, _ in IRQ.moveAway(from: cpu) })
    CPUHotplug.register(.vectors, down: { @Sendable cpu, _ in IRQ.forget(cpu) })
    CPUHotplug.register(.timers, down: { @Sendable cpu, _ in ClockEvents.takeOver(from: cpu) })
}

/// The thread that becomes init; everything that may sleep happens in it.
private func startFirstThread(_ boot: BootInformation, _ options: KernelOptions, _ topology: CPUTopology) {
    do {
        try Thread.create(name: "init") { task in FirstThread.run(boot, options, topology, task) }.start()
    } catch {
        bootFailure("no memory for the first thread")
    }
}
