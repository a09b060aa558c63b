// The ramdisks of the boot measurement: init is a program whose first instruction reads the counter.

/// What is booted, for both kernels alike.
enum BenchRamdisk: String, CaseIterable, Sendable {
    case initAlone = "init alone"
    case busybox = "busybox"

    private static let source = "Tests/Bench/boot-init.c"
    private static let program = "build/bench-init"

    var path: String { "build/bench-\(self == .busybox ? "busybox" : "init").cpio.gz" }

    /// Makes all of them.
    static func make() async throws {
        let options = ["-static", "-nostdlib", "-O2", "-fno-stack-protector", "-fno-builtin"]
        _ = try await HostProgram("gcc", options + ["-o", program, source]).output()
        for ramdisk in allCases { try await ramdisk.pack() }
    }

    private func pack() async throws {
        let directory = "build/bench"
        let tree: FileTree
        switch self {
        case .initAlone:
            tree = try FileTree(emptied: directory)
            try tree.makeDirectory("dev")
        case .busybox:
            tree = try await BusyboxRamdisk.tree(in: directory)
            try tree.remove("init")
        }
        try tree.copy(Self.program, to: "init")
        try await tree.pack(as: path)
    }
}
