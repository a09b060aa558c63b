// Devices whose interrupts carry real data: a disk read through MSI-X, sources of entropy on a shared line of the PCI bus, and
// the affinity of lines as a program sets it.
import Foundation

struct DeviceStage: TestStage {
    let name = "devices"
    let summary = "virtio devices by MSI-X and by a shared line; affinity through /proc/irq"

    /// A machine with devices, and what the script of its init must say.
    private struct Boot: Sendable {
        var name: String
        var type: MachineType
        var words = ""
        var devices: [String]
        var expected: [String]
    }

    private static let disk = "build/disk.img"
    private static let diskBytes = 64 << 20

    static let diskDevice = [
        "-drive", "if=none,id=disk,format=raw,readonly=on,file=\(disk)", "-device",
        "virtio-blk-pci,drive=disk",
    ]
    /// Slots 4 and 8 share a line on both chipsets.
    private static let sharedDevices = [
        "-device", "virtio-rng-pci,vectors=0,addr=4", "-device", "virtio-rng-pci,vectors=0,addr=8",
    ]

    private static let boots = [
        Boot(
            name: "disk-msix-q35", type: .q35, devices: diskDevice + ["-device", "virtio-rng-pci"],
            expected: ["PCI-MSIX", "virtio-blk", "entropy 4096"]),
        Boot(
            name: "disk-msix-pc", type: .pc, devices: diskDevice + ["-device", "virtio-rng-pci"],
            expected: ["PCI-MSIX", "virtio-blk", "entropy 4096"]),
        Boot(
            name: "disk-pin-pc", type: .pc,
            devices: [
                "-drive", "if=none,id=disk,format=raw,readonly=on,file=\(disk)", "-device",
                "virtio-blk-pci,drive=disk,vectors=0", "-device", "virtio-rng-pci,vectors=0",
            ], expected: ["fasteoi", "virtio-blk", "entropy 4096"]),
        Boot(
            name: "shared-line-pc", type: .pc, devices: diskDevice + sharedDevices,
            expected: ["virtio-rng, virtio-rng", "entropy 4096"]),
        Boot(
            name: "shared-line-q35", type: .q35, devices: diskDevice + sharedDevices,
            expected: ["virtio-rng, virtio-rng", "entropy 4096"]),
        Boot(
            name: "disk-noapic", type: .pc, words: "noapic",
            devices: [
                "-drive", "if=none,id=disk,format=raw,readonly=on,file=\(disk)", "-device",
                "virtio-blk-pci,drive=disk,vectors=0", "-device", "virtio-rng-pci,vectors=0",
            ], expected: ["XT-PIC", "virtio-blk", "entropy 4096"]),
    ]

    func parts() async throws -> [String] { Self.boots.map(\.name) }

    func run(_ parts: [String], in context: TestContext) async throws {
        let checksum = try await Self.makeDisk()
        let ramdisk = try await Self.makeRamdisk()
        try await concurrently(Self.boots.filter { parts.contains($0.name) }) { boot in
            var machine = VirtualMachine()
            machine.type = boot.type
            machine.kernel = context.kernel
            machine.ramdisk = ramdisk
            machine.append = "init=/tests/devices" + (boot.words.isEmpty ? "" : " " + boot.words)
            machine.console = .pipes
            machine.extraArguments = boot.devices
            let outcome = try await ConsoleSession.run(
                machine, timeLimit: 180, log: Project.log("devices-\(boot.name)"))
            var expected = boot.expected + ["\(checksum)  /dev/vda"]
            if !boot.words.contains("noapic") { expected += Self.lists }
            let why = Self.failure(of: outcome, expecting: expected)
            await context.report.record(why.map { .failed(boot.name, $0) } ?? .passed(boot.name))
        }
    }

    private static func failure(of outcome: BootOutcome, expecting texts: [String]) -> String? {
        var complaints: [String] = []
        if outcome.isTimedOut { complaints.append("hung") }
        for text in texts where !outcome.console.contains(text) {
            complaints.append("the console was to say \(text.debugDescription)")
        }
        for text in ["cannot move", "accepted"] where outcome.console.contains(text) {
            complaints.append("the console said \(text.debugDescription)")
        }
        if !outcome.isTimedOut, outcome.status != .exited(0) { complaints.append("\(outcome.status)") }
        if complaints.isEmpty { return nil }
        return complaints.joined(separator: "; ") + "; the console's last lines:\n" + outcome.lastLines(30)
    }

    /// Makes the disk's image, 64 MiB that do not repeat, and returns its checksum.
    static func makeDisk() async throws -> String {
        try Project.makeDirectory("build")
        if (try? FileManager.default.attributesOfItem(atPath: disk)[.size] as? Int) != diskBytes {
            var state: UInt64 = 0x9e37_79b9_7f4a_7c15
            var words = [UInt64](repeating: 0, count: diskBytes / 8)
            for index in words.indices {
                // xorshift64 (Marsaglia 2003).
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                words[index] = state
            }
            try words.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: disk)) }
        }
        let output = try await HostProgram("md5sum", [disk]).output()
        return String(output.prefix { $0 != " " })
    }

    private static func makeRamdisk() async throws -> String {
        let tree = try await BusyboxRamdisk.tree(in: "build/devices")
        try tree.write(script, to: "tests/devices", mode: 0o755)
        try await tree.pack(as: "build/devices.cpio.gz")
        return "build/devices.cpio.gz"
    }

    /// What the script shows of `smp_affinity_list`, and on which CPU the line then is, where there is but one.
    private static let lists = [
        "list 0 0 on 0", "list 1-2 1-2 on", "list 3 3 on 3", "list 0,2 0,2 on", "list 0-3 0-3 on",
    ]

    /// Moves the disk's line to each CPU while the disk is read, if the line can move.
    private static let script = """
        #!/bin/sh
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin
        /etc/init.d/rcS
        exec >/dev/console 2>&1
        line=$(awk -F: '/virtio-blk/ { gsub(" ", "", $1); print $1 }' /proc/interrupts)
        grep -q XT-PIC /proc/interrupts || (
            while sleep 0.1; do
                for mask in 1 2 4 8; do echo $mask >/proc/irq/$line/smp_affinity || echo cannot move; done
            done
        ) &
        mover=$!
        md5sum /dev/vda
        kill $mover
        grep -q XT-PIC /proc/interrupts || (
            for list in 0 1-2 3 0,2 0-3; do
                echo $list >/proc/irq/$line/smp_affinity_list
                echo "list $list $(cat /proc/irq/$line/smp_affinity_list) on $(cat /proc/irq/$line/effective_affinity_list)"
            done
            for list in 9 5-7 x 3-1 0-; do
                echo $list >/proc/irq/$line/smp_affinity_list && echo "accepted $list"
            done 2>/dev/null
        )
        echo "entropy $(dd if=/dev/hwrng bs=512 count=8 2>/dev/null | wc -c)"
        cat /proc/interrupts
        cat /proc/irq/$line/smp_affinity /proc/irq/$line/effective_affinity_list /proc/irq/$line/spurious
        exit 0

        """
}
