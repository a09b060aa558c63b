// The options that describe the machine to boot on.
import ArgumentParser

struct MachineOptions: ParsableArguments {
    @Option(name: .long, help: "How many CPUs the machine has (1 to 255).")
    var cpus = 4

    @Option(name: .long, help: "Its memory in MiB, or with a suffix as QEMU takes it (512, 1G).")
    var memory = "256"

    @Option(name: .long, help: "QEMU's machine type.")
    var machine = MachineType.q35

    @Option(
        name: .long, help: "An initial ramdisk (cpio newc, plain or gzip) to boot instead of busybox.",
        completion: .file())
    var initrd: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: "Words to add to the kernel's command line after console=ttyS0.")
    var append = ""

    @Option(
        name: .long, help: "A kernel to boot instead of building Apus, Linux for instance.",
        completion: .file())
    var kernel: String?

    @Flag(name: .long, help: "Wait for a debugger on TCP port 1234 before the first instruction.")
    var gdb = false

    @Flag(name: .long, help: "One instruction is one nanosecond of virtual time (QEMU's -icount shift=0).")
    var icount = false

    func validate() throws {
        guard (1...255).contains(cpus) else { throw ValidationError("--cpus takes a number from 1 to 255") }
        let digits = memory.prefix(while: \.isNumber)
        guard !digits.isEmpty, ["", "k", "m", "g", "t"].contains(memory.dropFirst(digits.count).lowercased())
        else { throw ValidationError("--memory takes a number of MiB, or a number with K, M or G") }
    }
}
