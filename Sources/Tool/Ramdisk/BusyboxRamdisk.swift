// The ramdisk that `./apus run` boots: busybox, statically linked, as init, shell and all commands.
import Foundation

/// A small Linux system of busybox alone.
enum BusyboxRamdisk {
    static let archive = "build/ramdisk.cpio.gz"
    private static let busybox = "/bin/busybox"

    /// Makes the archive and returns its path.
    static func make() async throws -> String {
        try await tree(in: "build/ramdisk").pack(as: archive)
        return archive
    }

    /// Puts the files together; more may be added before packing.
    static func tree(in directory: String) async throws -> FileTree {
        let tree = try FileTree(emptied: directory)
        for path in ["dev", "proc", "sys", "run", "mnt", "var/log"] { try tree.makeDirectory(path) }
        try tree.makeDirectory("root", mode: 0o700)
        try tree.makeDirectory("tmp", mode: 0o1777)
        try tree.copy(busybox, to: "bin/busybox")
        let applets = try await HostProgram(busybox, ["--list-full"]).output()
        for applet in applets.split(separator: "\n") where applet != "bin/busybox" {
            try tree.link(String(applet), to: "/bin/busybox")
        }
        try tree.link("init", to: "bin/busybox")
        for file in configuration { try tree.write(file.text, to: file.path, mode: file.mode) }
        return tree
    }

    private static var configuration: [(path: String, text: String, mode: Int)] {
        [
            ("etc/inittab", inittab, 0o644),
            ("etc/init.d/rcS", startUp, 0o755),
            ("etc/profile", profile, 0o644),
            (
                "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
                0o644
            ),
            ("etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n", 0o644),
            ("etc/hostname", "apus\n", 0o644),
            ("etc/terminal-size", terminalSize, 0o644),
        ]
    }

    /// The shell is on ttyS0 itself, not on /dev/console, which cannot control a session.
    private static let inittab = """
        ::sysinit:/etc/init.d/rcS
        ttyS0::respawn:-/bin/sh
        ::ctrlaltdel:/sbin/reboot
        ::shutdown:/bin/sync
        ::restart:/sbin/init

        """

    /// Mounts only what the kernel has not mounted itself.
    private static let startUp = """
        #!/bin/sh
        [ -e /proc/self ] || mount -t proc proc /proc
        [ -d /sys/devices ] || mount -t sysfs sysfs /sys
        [ -c /dev/ttyS0 ] || mount -t devtmpfs devtmpfs /dev
        [ -d /dev/shm ] || { mkdir /dev/shm && mount -t tmpfs -o mode=1777 tmpfs /dev/shm; }
        hostname -F /etc/hostname

        """

    private static let profile = """
        export HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
        export TERM=${TERM:-vt100} PS1='\\h:\\w\\$ '
        read -r rows columns 2>/dev/null </etc/terminal-size && stty rows "$rows" columns "$columns" 2>/dev/null
        unset rows columns
        cd

        """

    /// A serial line has no size of its own, so the shell is told that of the user's terminal.
    private static var terminalSize: String {
        let size = Terminal.size ?? (rows: 24, columns: 80)
        return "\(size.rows) \(size.columns)\n"
    }
}
