// Where things are. The tool works from the top of the source tree: `enter` makes it the current
// directory, so every path below is relative to it.
import Foundation

/// The source tree and what the tool leaves in it.
enum Project {
    /// Everything that is made: the kernel, ramdisks, logs.
    static let buildDirectory = "build"
    /// The kernel that `./apus build` leaves.
    static let kernel = "build/apus.elf"
    /// The kernel that `./apus build --debug-locks` leaves.
    static let lockKernel = "build/apus-locks.elf"
    /// The console of each boot of a test run.
    static let logDirectory = "build/log"

    /// The file that keeps the console of a boot.
    static func log(_ name: String) -> String { "\(logDirectory)/\(name).log" }

    /// The directory that the user was in, for paths given on the command line.
    nonisolated(unsafe) private(set) static var userDirectory = FileManager.default.currentDirectoryPath

    /// Makes the top of the source tree the current directory.
    static func enter() throws {
        let root = try root()
        guard FileManager.default.changeCurrentDirectoryPath(root) else {
            throw ToolError("cannot enter \(root)")
        }
        try makeDirectory(logDirectory)
    }

    /// The absolute path of a file that the user named.
    static func userPath(_ path: String) -> String {
        path.hasPrefix("/") ? path : userDirectory + "/" + path
    }

    /// Makes a directory and those above it, if they are not there.
    static func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// The top of the source tree: `APUS_ROOT` as `./apus` sets it, or the nearest directory
    /// upwards that holds the sources.
    private static func root() throws -> String {
        if let root = ProcessInfo.processInfo.environment["APUS_ROOT"] { return root }
        var directory = URL(fileURLWithPath: userDirectory)
        while directory.path != "/" {
            let sources = directory.appendingPathComponent("Sources/Kernel").path
            if FileManager.default.fileExists(atPath: sources) { return directory.path }
            directory.deleteLastPathComponent()
        }
        throw ToolError("not inside the source tree of Apus; start it as ./apus")
    }
}
