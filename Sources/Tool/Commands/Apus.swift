// The root command of the host program behind `./apus`.
//
// Every command does its own set-up (packages of the system, kernel, ramdisk), says on standard
// error what it is doing, and ends with a status: 0 for success, otherwise the guest's or 1.
import ArgumentParser

/// `./apus`: builds, boots, tests and measures the kernel.
public struct Apus: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Builds, boots, tests and measures the Apus kernel.",
        discussion: """
            The two commands to know:
              ./apus run    builds the kernel and boots it in QEMU to a shell on this terminal
              ./apus test   passes every test there is
            What the system lacks (QEMU, busybox, cpio, compilers for the tests) is installed through \
            its package manager when that needs no password; otherwise the command to type is named.
            """,
        subcommands: [
            RunCommand.self, BuildCommand.self, TestCommand.self, SoakCommand.self, BenchCommand.self,
        ])

    public init() {}

    /// Parses the program's arguments, does what they say and ends the program.
    public static func start() async {
        await main()
    }
}
