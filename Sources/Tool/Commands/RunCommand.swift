// `./apus run`
import ArgumentParser
import Foundation

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Builds the kernel and boots it in QEMU, its console on this terminal.",
        discussion: """
            Without --initrd it boots busybox to a shell. Ctrl-A X ends QEMU, Ctrl-A C is its monitor, \
            Ctrl-A Ctrl-A sends Ctrl-A. The exit status is that of init (61 for 61 and above), 0 after a \
            power-off or a reboot, 62 after a kernel panic, 125 when QEMU itself fails.
            """)

    @OptionGroup var options: MachineOptions

    func run() async throws {
        try await Report.errors {
            try Project.enter()
            try await HostPackages.install(for: .running)
            let machine = try await virtualMachine()
            try MemoryFit.check(machine)
            announce(machine)
            let status = try await Self.boot(machine)
            Progress.step("\(status)")
            throw ExitCode(status.exitCode)
        }
    }

    private func virtualMachine() async throws -> VirtualMachine {
        var machine = VirtualMachine()
        machine.type = options.machine
        machine.cpus = options.cpus
        machine.memory = options.memory
        machine.append = options.append
        machine.countsInstructions = options.icount
        machine.waitsForDebugger = options.gdb
        if let kernel = options.kernel {
            machine.kernel = try Self.existing(kernel)
        } else {
            try await BuildCommand.build()
        }
        if let initrd = options.initrd {
            machine.ramdisk = try Self.existing(initrd)
        } else {
            machine.ramdisk = try await BusyboxRamdisk.make()
        }
        return machine
    }

    private func announce(_ machine: VirtualMachine) {
        if options.icount && options.cpus > 1 {
            Progress.warning("with --icount QEMU runs all \(options.cpus) CPUs in one host thread")
        }
        if options.gdb {
            Progress.step(
                "waiting for a debugger: gdb \(machine.kernel) -ex 'target remote :1234' -ex continue")
        }
        let cpus = machine.cpus == 1 ? "1 CPU" : "\(machine.cpus) CPUs"
        Progress.step(
            "booting \(machine.kernel) on \(machine.type.rawValue) with \(cpus) and \(machine.memory) MiB "
                + "(Ctrl-A X ends QEMU)")
    }

    private static func boot(_ machine: VirtualMachine) async throws -> GuestStatus {
        GuestStatus(try await Terminal.restored(after: machine.program.onTerminal))
    }

    private static func existing(_ path: String) throws -> String {
        let path = Project.userPath(path)
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw ToolError("cannot read \(path)")
        }
        return path
    }
}
