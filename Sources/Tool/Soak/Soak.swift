// All of the machine's devices at once for a while, counted at both ends: what the host put in and the emulated devices
// raised, and what the kernel counted and a program in it got. Nothing may be lost, nothing may come twice.
//
// The battery clock at 8192 Hz: the emulator leaves periods out while it is late, and then the clock raises its line less
// often than the rate says; no system could see those. What is compared is how often the line rose, how often the
// kernel found the clock's flag set, and what the program read. So this shows that no interrupt that was raised is
// lost or counted twice; that the clock keeps its rate it does not show. Interrupts of a line behind which the device
// had nothing (the emulator's lines may be raised anew while they are up) are told as unclaimed.
import Foundation

/// One run of the soak.
struct Soak: Sendable {
    var seconds: Int
    var kernel: String
    var type = MachineType.q35

    private static let program = "build/soak"
    private static let source = "Tests/Soak/soak.c"
    private static let control = "build/soak.qmp"
    private static let line = "build/soak.serial"

    /// Boots a machine with 4 CPUs, runs everything, and compares the counts.
    func run(log: String) async throws -> SoakResult {
        _ = try await DeviceStage.makeDisk()
        let ramdisk = try await makeRamdisk()
        for path in [Self.control, Self.line] { try? FileManager.default.removeItem(atPath: path) }
        var machine = VirtualMachine()
        machine.type = type
        machine.kernel = kernel
        machine.ramdisk = ramdisk
        machine.append = "init=/tests/soak.sh"
        machine.console = .pipes
        machine.extraArguments =
            MachineControl.arguments(Self.control) + DeviceStage.diskDevice + [
                "-chardev", "socket,id=line,path=\(Self.line),server=on,wait=off", "-serial", "chardev:line",
                "-global", "mc146818rtc.lost_tick_policy=discard",
            ]
        let sent = SoakCounts()
        let outcome = try await ConsoleSession.run(machine, timeLimit: Double(seconds) * 2 + 120, log: log) {
            try await drive($0, sent)
        }
        return SoakResult(outcome: outcome, sent: await sent.value)
    }

    private func makeRamdisk() async throws -> String {
        let compiler = HostProgram(
            "musl-gcc", ["-static", "-O2", "-Wall", "-Werror", "-pthread", "-o", Self.program, Self.source])
        _ = try await compiler.output()
        let tree = try await BusyboxRamdisk.tree(in: "build/soak.d")
        try tree.copy(Self.program, to: "tests/soak")
        try tree.write(
            """
            #!/bin/sh
            export PATH=/usr/sbin:/usr/bin:/sbin:/bin
            /etc/init.d/rcS
            exec </dev/console >/dev/console 2>&1
            /tests/soak \(seconds)
            exit $?

            """, to: "tests/soak.sh", mode: 0o755)
        try await tree.pack(as: "build/soak.cpio.gz")
        return "build/soak.cpio.gz"
    }

    /// The host's half.
    private func drive(_ session: ConsoleSession, _ counts: SoakCounts) async throws {
        let control = try await MachineControl(path: Self.control)
        let serial = try await UnixSocket(path: Self.line, within: 20)
        let ready = try await session.expect("soak: ready", from: 0, within: 60)
        var sent = SoakSent()
        sent.linesBefore = try await control.lineCounts()
        sent.readsBefore = try await control.diskReads()
        try await session.type("begin\n")
        let end = ContinuousClock.now + .seconds(seconds)
        let senders = SoakSenders(session: session, control: control, serial: serial, start: ready, end: end)
        async let keys = senders.sendKeys()
        async let moves = senders.sendMoves()
        async let bytes = senders.exchangeBytes()
        (sent.keys, sent.moves, sent.bytes) = try await (keys, moves, bytes)
        let over = try await session.expect("soak: time", from: ready, within: Double(seconds) + 60)
        sent.linesAfter = try await control.lineCounts()
        sent.readsAfter = try await control.diskReads()
        try await session.type("end\n")
        _ = try await session.expect("soak: done", from: over, within: 30)
        await counts.set(sent)
    }
}

/// What the host did, and what QEMU's devices counted.
struct SoakSent: Sendable {
    var keys = 0
    var moves = 0
    var bytes = 0
    var linesBefore: [Int: Int] = [:]
    var linesAfter: [Int: Int] = [:]
    var readsBefore = 0
    var readsAfter = 0

    func rises(_ line: Int) -> Int { (linesAfter[line] ?? 0) - (linesBefore[line] ?? 0) }
}

/// Leaves the counts where the caller finds them.
actor SoakCounts {
    private(set) var value = SoakSent()
    func set(_ new: SoakSent) { value = new }
}
