// Interrupts to other CPUs, through the interrupt command register (Intel SDM volume 3, 10.6).

extension LocalAPIC {
    /// Delivery modes and flags of the command register's low half.
    private enum Command {
        static let fixed: UInt32 = 0 << 8
        static let nmi: UInt32 = 4 << 8
        static let initialize: UInt32 = 5 << 8
        static let startup: UInt32 = 6 << 8
        static let pending: UInt32 = 1 << 12
        static let assert: UInt32 = 1 << 14
        static let level: UInt32 = 1 << 15
        static let toSelf: UInt32 = 1 << 18
        static let toOthers: UInt32 = 3 << 18
    }

    /// How long a command may stay pending: some microseconds on hardware, never in an emulator.
    private static let idleTurns = 1_000_000

    /// Sends one command. Any context; interrupts are kept off between the two halves.
    @inline(__always)
    private static func send(_ command: UInt32, to apicID: UInt32) {
        if isX2APIC {
            // All earlier stores must be visible before the interrupt is: WRMSR to the x2APIC does not
            // order them (Intel SDM volume 3, 10.12.3).
            Spin.fence()
            MSR(MSR.x2APICBase + UInt32(Register.commandLow >> 4)).write(
                UInt64(apicID) << 32 | UInt64(command))
            return
        }
        let wereEnabled = InterruptFlag.isEnabled
        if wereEnabled { InterruptFlag.disable() }
        waitUntilIdle()
        write(Register.commandHigh, apicID << 24)
        write(Register.commandLow, command)
        if wereEnabled { InterruptFlag.enable() }
    }

    @inline(__always)
    private static func waitUntilIdle() {
        if read(Register.commandLow) & Command.pending == 0 { return }
        for _ in 0..<idleTurns where read(Register.commandLow) & Command.pending != 0 { Spin.pause() }
    }

    /// Sends interrupt `vector` to the CPU of that identifier. Any context.
    public static func send(vector: UInt8, to apicID: UInt32) {
        send(Command.fixed | Command.assert | UInt32(vector), to: apicID)
    }

    /// Sends interrupt `vector` to every CPU but this one, also to those the kernel does not use. Any context.
    public static func sendToOthers(vector: UInt8) {
        send(Command.fixed | Command.assert | Command.toOthers | UInt32(vector), to: 0)
    }

    /// Sends interrupt `vector` to this CPU. Any context.
    public static func sendToSelf(vector: UInt8) {
        if isX2APIC {
            write(Register.selfIPI, UInt32(vector))
        } else {
            send(Command.fixed | Command.assert | Command.toSelf | UInt32(vector), to: 0)
        }
    }

    /// Sends an NMI to the CPU of that identifier. Any context.
    public static func sendNMI(to apicID: UInt32) {
        send(Command.nmi | Command.assert, to: apicID)
    }

    /// Sends an NMI to every CPU but this one. Any context.
    public static func sendNMIToOthers() {
        send(Command.nmi | Command.assert | Command.toOthers, to: 0)
    }

    /// Resets the CPU of that identifier: it waits for `sendStartup`. The protocol asks for 10 ms between
    /// this and the first start-up on CPUs that need one at all (Intel SDM volume 3, 9.4.4).
    public static func sendINIT(to apicID: UInt32) {
        send(Command.initialize | Command.assert | Command.level, to: apicID)
        // The de-assert is ignored by all but the oldest CPUs, and the x2APIC has none.
        if !isX2APIC { send(Command.initialize | Command.level, to: apicID) }
    }

    /// Starts the CPU of that identifier in real mode at `page` (below 1 MiB).
    public static func sendStartup(to apicID: UInt32, page: PhysicalAddress) {
        send(
            Command.startup | Command.assert | UInt32(truncatingIfNeeded: page.value >> 12) & 0xff, to: apicID
        )
    }
}
