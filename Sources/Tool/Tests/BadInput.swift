// Boots that must fail with a clear message, or go on in spite of something.

/// A boot with something wrong, and what is to come of it.
struct BadInput: Sendable {
    var name: String
    /// What the console must say.
    var message: String
    var status = GuestStatus.panicked
    var append = ""
    var memory = "256"
    var ramdisk = BadRamdisk.good

    /// All of them.
    static let all =
        ramdisks + commandLines + inits + [
            BadInput(name: "memory-8M", message: KernelMessage.tooLittleMemory, memory: "8")
        ]

    private static let ramdisks =
        [BadInput(name: "no-ramdisk", message: KernelMessage.noRamdisk, ramdisk: .absent)]
        + [BadRamdisk.gzipTruncated, .gzipCorrupt, .cpioTruncated, .cpioCorrupt, .noArchive].map {
            BadInput(name: "ramdisk-\($0.rawValue)", message: KernelMessage.badRamdisk, ramdisk: $0)
        }

    private static let commandLines = [
        BadInput(
            name: "unknown-apus-option", message: KernelMessage.unknownOption + ": apus.nonsense=1",
            append: "apus.nonsense=1"),
        BadInput(
            name: "bad-value", message: KernelMessage.badOptionValue + ": maxcpus=many",
            append: "maxcpus=many"),
        BadInput(
            name: "unknown-word-goes-to-init", message: KernelMessage.unknownOption + ": frobnicate",
            status: .exited(0), append: "frobnicate init=/tests/exit-0"),
        BadInput(
            name: "init-exits", message: KernelMessage.exitStatus + "7", status: .exited(7),
            append: "init=/tests/exit-7"),
        BadInput(
            name: "init-exits-high", message: KernelMessage.exitStatus + "200", status: .exited(61),
            append: "init=/tests/exit-200"),
        BadInput(
            name: "init-killed", message: KernelMessage.exitStatus + "132", status: .exited(61),
            append: "init=/tests/crash"),
        BadInput(
            name: "init-arguments", message: "arguments: one two", status: .exited(0),
            append: "init=/tests/arguments -- one two"),
    ]

    private static let inits =
        ["missing", "no-interpreter", "not-executable", "not-a-program", "empty"].map {
            BadInput(
                name: "init-\($0)", message: KernelMessage.cannotExecuteInit, append: "init=/tests/\($0)")
        }
        + TinyElf.lies.map {
            BadInput(
                name: "elf-\($0.name)", message: KernelMessage.cannotExecuteInit,
                append: "init=/tests/elf-\($0.name)")
        }
}
