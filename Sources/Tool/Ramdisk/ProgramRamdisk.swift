// The ramdisk of a boot that runs test programs: busybox, the programs, and a script for init that
// runs those on a list one after the other.

/// Busybox and test programs; boot it with `init=/tests/run`.
enum ProgramRamdisk {
    static let initPath = "/tests/run"
    /// Seconds that a program may take. Its tests have shorter limits of their own.
    static let programLimit = 180

    /// Makes the ramdisk `build/NAME.cpio.gz`, which runs these programs in this order.
    static func make(_ name: String, running programs: [TestProgram]) async throws -> String {
        let tree = try await BusyboxRamdisk.tree(in: "build/\(name)")
        for program in programs { try tree.copy(program.product, to: "tests/\(program.name)") }
        let list = programs.map { ([$0.name] + $0.arguments).joined(separator: " ") + "\n" }.joined()
        try tree.write(list, to: "tests/list")
        try tree.write(script, to: "tests/run", mode: 0o755)
        try await tree.pack(as: "build/\(name).cpio.gz")
        return "build/\(name).cpio.gz"
    }

    /// Says which program runs and how it ended, in lines that `ProgramOutput` reads.
    private static let script = """
        #!/bin/sh
        # Runs the programs of /tests/list; exits with 1 when one of them failed.
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=vt100
        /etc/init.d/rcS
        exec >/dev/console 2>&1
        cd /root
        failed=0
        while read -r name arguments; do
            echo "# program $name"
            timeout -s KILL \(programLimit) "/tests/$name" $arguments </dev/null
            status=$?
            read -r now rest </proc/uptime
            echo "# at $now s"
            echo "# exit $status $name"
            [ "$status" -eq 0 ] || failed=1
        done </tests/list
        echo "# finished"
        exit "$failed"

        """
}
