// The machine that QEMU emulates, as a command line. Nothing here runs anything.
import ArgumentParser

/// QEMU's machine types that the kernel knows.
enum MachineType: String, ExpressibleByArgument, CaseIterable, Sendable {
    case pc, q35, microvm

    /// QEMU's `-machine`. A microvm gets the devices of a PC that the kernel drives and ACPI
    /// tables; QEMU adds no words of its own to its command line.
    var emulatorArgument: String {
        switch self {
        case .pc, .q35: rawValue
        case .microvm: "microvm,pit=on,pic=on,rtc=on,isa-serial=on,acpi=on,auto-kernel-cmdline=off"
        }
    }
}

/// A machine and what boots on it.
struct VirtualMachine: Sendable {
    static let emulator = "qemu-system-x86_64"

    /// Where the guest's serial line leads.
    enum Console: Sendable {
        /// The user's terminal, with QEMU's monitor behind Ctrl-A C.
        case terminal
        /// QEMU's standard input and output, for a program to read and write.
        case pipes
    }

    var type = MachineType.q35
    var cpus = 4
    /// As QEMU's `-m` takes it: MiB, or with a suffix.
    var memory = "256"
    var kernel = Project.kernel
    var ramdisk: String?
    /// Words of the command line after `console=ttyS0`.
    var append = ""
    var console = Console.terminal
    /// One instruction is one nanosecond of virtual time, and idle time is skipped.
    var countsInstructions = false
    /// Halted until a debugger, attached to TCP port 1234, lets it go.
    var waitsForDebugger = false
    /// Further arguments of QEMU, for devices that only some tests need.
    var extraArguments: [String] = []
    /// QEMU as it comes, with the arguments that README names and no others: its default machine, CPU
    /// and devices, no exit device.
    var isPlain = false

    /// A serial port where the kernel looks for none, on line 5: the device of tests and measurements of lines
    /// (Sources/KernelTests/TestPort.swift).
    static let testPort = [
        "-chardev", "null,id=test", "-device", "isa-serial,iobase=0x260,irq=5,chardev=test,index=3",
    ]

    /// The program to run.
    var program: HostProgram {
        HostProgram(Self.emulator, arguments)
    }

    /// QEMU counts instructions only with all CPUs in one host thread.
    var arguments: [String] {
        isPlain ? plainArguments : fullArguments
    }

    private var plainArguments: [String] {
        ["-smp", "\(cpus)", "-m", memory, "-nographic", "-no-reboot"] + kernelArguments
    }

    private var kernelArguments: [String] {
        let words = append.isEmpty ? "" : " " + append
        let disk = ramdisk.map { ["-initrd", $0] } ?? []
        return ["-kernel", kernel] + disk + ["-append", "console=ttyS0" + words]
    }

    private var fullArguments: [String] {
        var result = [
            "-machine", type.emulatorArgument,
            "-accel", countsInstructions ? "tcg,thread=single" : "tcg,thread=multi",
            "-cpu", "max", "-smp", "\(cpus)", "-m", memory,
            "-nodefaults", "-no-reboot", "-display", "none",
            "-serial", console == .terminal ? "mon:stdio" : "stdio",
            "-rtc", "base=utc",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
        ]
        if countsInstructions { result += ["-icount", "shift=0,sleep=off"] }
        if waitsForDebugger { result += ["-s", "-S"] }
        return result + extraArguments + kernelArguments
    }
}
