// The rival: Debian's kernel, downloaded as a package and unpacked, never installed.
import Foundation

/// A Linux to boot in the same QEMU.
struct LinuxKernel: Equatable, Sendable {
    /// The file to boot.
    var path: String
    /// What it is, for the report.
    var title: String

    private static let directory = "build/linux"

    /// The kernel in this file, or Debian's current one; nil, with a warning, where it cannot be had.
    static func find(_ path: String?) async throws -> LinuxKernel? {
        if let path {
            guard FileManager.default.isReadableFile(atPath: path) else {
                throw ToolError("cannot read \(path)")
            }
            return kernel(at: path)
        }
        if let path = unpacked() { return kernel(at: path) }
        do {
            try await download()
        } catch {
            Progress.warning(
                "Debian's kernel is not to be had here (--linux FILE names another one): \(error)")
        }
        return unpacked().map(kernel)
    }

    private static func kernel(at path: String) -> LinuxKernel {
        let name = (path as NSString).lastPathComponent
        let version = name.hasPrefix("vmlinuz-") ? String(name.dropFirst(8)) : name
        return LinuxKernel(path: path, title: "Linux \(version)")
    }

    private static func unpacked() -> String? {
        let boot = "\(directory)/boot"
        let files = (try? FileManager.default.contentsOfDirectory(atPath: boot)) ?? []
        return files.first { $0.hasPrefix("vmlinuz-") }.map { "\(boot)/\($0)" }
    }

    /// Needs no privilege, only apt's lists.
    private static func download() async throws {
        let dependencies = try await HostProgram("apt-cache", ["depends", "linux-image-amd64"]).output()
        let packages = dependencies.split(whereSeparator: \.isWhitespace).filter {
            $0.hasPrefix("linux-image-")
        }
        guard let package = packages.last, package != "linux-image-amd64" else {
            throw ToolError("apt knows no linux-image-amd64")
        }
        Progress.step("downloading \(package) to measure against (70 MB, kept in \(directory))")
        try Project.makeDirectory(directory)
        let script = """
            cd "$1" && apt-get -q download "$2" && dpkg-deb --fsys-tarfile "$2"_*.deb | tar x ./boot \
            && rm -f "$2"_*.deb
            """
        _ = try await HostProgram("sh", ["-c", script, "sh", directory, String(package)]).output()
    }
}
