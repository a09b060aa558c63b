// The first thread: what of the boot sequence may sleep, then the tests or the first program.

import Devices
import Interrupts
import KernelTests
import Linux
import Machine
import Memory
import Primitives

enum FirstThread {
    /// Runs in the kernel; when it returns, the thread goes to user mode as init.
    static func run(
        _ boot: BootInformation, _ options: KernelOptions, _ topology: CPUTopology,
        _ task: borrowing TaskContext
    ) {
        Shutdown.install()
        Serial.initialize()
        Terminals.initialize(console: options.console)
        PS2.initialize()
        RTC.initialize()
        SystemControl.initialize(Platform.systemControl)
        Virtio.initialize(task)
        DeviceFiles.registerAll()
        PseudoFileSystems.initialize(commandLine: boot.commandLine.text, apicIDs: topology.apicIDs)
        let root = RootFileSystem.make(task)
        if let name = options.crash { Crash.run(name, task) }
        if let name = options.bench { runBench(name, task) }
        if let filter = options.tests { runTests(filter, task) }
        unpackRamdisk(boot.ramdisk, root, task)
        mountDevices(root, task)
        startLoadAverage()
        var request = InitProcess.Request(root: root)
        request.path = options.initPath
        request.arguments = options.initArguments
        request.environment = environment(options)
        if options.benchBoot { reportBoot(boot) }
        do throws(InitProcess.Failure) {
            try InitProcess.start(request, task)
        } catch { bootFailure(error.message) }
    }

    private static func startLoadAverage() {
        do throws(Errno) {
            try LoadAverage.start()
        } catch { printk(.warning, "no load averages: error \(error.code)") }
    }

    /// Linux's environment for init, then what the command line adds.
    private static func environment(_ options: KernelOptions) -> [[UInt8]] {
        [[UInt8]("HOME=/".utf8), [UInt8]("TERM=linux".utf8)] + options.initEnvironment
    }

    private static func unpackRamdisk(_ range: Range<UInt64>?, _ root: Path, _ task: borrowing TaskContext) {
        guard let range else {
            bootFailure("no initial ramdisk: give one with -initrd, it holds the first program")
        }
        do throws(ArchiveError) {
            // Reserved at boot and mapped with the rest of memory.
            let bytes = unsafe UnsafeRawBufferPointer(
                start: PhysicalAddress(range.lowerBound).pointer, count: range.count)
            try unsafe RootFileSystem.populate(fromRamdisk: bytes, root, task)
        } catch { bootFailure(error.message) }
        Frames.add(PhysicalRange(start: range.lowerBound, end: range.upperBound))
    }

    /// `/dev`, so that init finds its console whatever the ramdisk has.
    private static func mountDevices(_ root: Path, _ task: borrowing TaskContext) {
        do throws(Errno) {
            try RootFileSystem.mount(DeviceFileSystem.shared(task), on: "/dev", root, task)
            DeviceFiles.complete(root, task)
        } catch { printk(.error, "cannot mount /dev: error \(error.code)") }
    }

    /// For `./apus bench boot`: from the kernel's first 64-bit instructions to here.
    private static func reportBoot(_ boot: BootInformation) {
        KernelLog.writeRaw("apus: boot: entry TSC=\(boot.entryTSC) init TSC=\(TSC.read())")
    }

    /// The in-kernel measurements, then the end of the machine.
    private static func runBench(_ name: [UInt8], _ task: borrowing TaskContext) -> Never {
        guard Bench.run(name, task) else { bootFailure("apus.bench: nothing of this name") }
        ExitPort.leave(0)
        Platform.powerOff()
        bootFailure("the measurements are over, and this machine cannot be switched off")
    }

    /// The in-kernel suites, then the end of the machine.
    private static func runTests(_ filter: [UInt8], _ task: borrowing TaskContext) -> Never {
        let failed = TestRunner.run(KernelSuites.all, filter: filter[...], task)
        KernelLog.writeRaw("apus: exit status \(failed == 0 ? 0 : 1)")
        ExitPort.leave(failed == 0 ? 0 : 1)
        Platform.powerOff()
        bootFailure("the tests are over, and this machine cannot be switched off")
    }
}
