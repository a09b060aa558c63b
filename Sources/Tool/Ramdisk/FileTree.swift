// A tree of files being put together under `build/`, and the cpio archive made of it.
import Foundation

/// A directory that becomes a ramdisk. Paths are relative to it.
struct FileTree {
    let directory: String

    /// Begins an empty tree.
    init(emptied directory: String) throws {
        self.directory = directory
        try? FileManager.default.removeItem(atPath: directory)
        try Project.makeDirectory(directory)
    }

    func makeDirectory(_ path: String, mode: Int = 0o755) throws {
        try Project.makeDirectory(full(path))
        try setMode(mode, of: path)
    }

    func write(_ text: String, to path: String, mode: Int = 0o644) throws {
        try write(Array(text.utf8), to: path, mode: mode)
    }

    func write(_ bytes: [UInt8], to path: String, mode: Int = 0o644) throws {
        try makeParent(of: path)
        try Data(bytes).write(to: URL(fileURLWithPath: full(path)))
        try setMode(mode, of: path)
    }

    func copy(_ source: String, to path: String, mode: Int = 0o755) throws {
        try makeParent(of: path)
        try FileManager.default.copyItem(atPath: source, toPath: full(path))
        try setMode(mode, of: path)
    }

    func link(_ path: String, to target: String) throws {
        try makeParent(of: path)
        try FileManager.default.createSymbolicLink(atPath: full(path), withDestinationPath: target)
    }

    func remove(_ path: String) throws {
        try FileManager.default.removeItem(atPath: full(path))
    }

    /// Packs the tree with cpio in the format `newc`, all of it root's, and gzip. The archive takes
    /// its name only once it is complete, so a boot beside it never sees half of one.
    func pack(as archive: String) async throws {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: directory).sorted()
        let unfinished = "\(archive).\(getpid())"
        let script = """
            cd "$1" && cpio --quiet --create --format=newc --owner=+0:+0 --reproducible | gzip -n -6 >"$2"
            """
        let absolute = FileManager.default.currentDirectoryPath + "/" + unfinished
        let sh = HostProgram("sh", ["-c", script, "sh", directory, absolute])
        _ = try await sh.output(input: (["."] + paths).joined(separator: "\n") + "\n")
        guard rename(unfinished, archive) == 0 else { throw ToolError("cannot write \(archive)") }
    }

    private func full(_ path: String) -> String { directory + "/" + path }

    private func makeParent(of path: String) throws {
        try Project.makeDirectory((full(path) as NSString).deletingLastPathComponent)
    }

    private func setMode(_ mode: Int, of path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: full(path))
    }
}
