// The driver of local APICs whose registers lie in memory: 32 bits each, identifiers of 8 bits.

import Synchronization

enum XAPIC {
    private static let pending: UInt32 = 1 << 12
    /// How often a pending command is looked at before the next one is sent all the same: some 100 ms on hardware,
    /// where a command is accepted within microseconds; an emulator's never stays pending.
    private static let patience = 1_000_000

    /// Sends one command. Any context; interrupts are kept off between the two halves.
    @inline(__always)
    static func send(_ command: InterruptCommand, to destination: UInt32) {
        let wereEnabled = InterruptFlag.isEnabled
        if wereEnabled { InterruptFlag.disable() }
        sendInterruptsOff(command, to: destination)
        if wereEnabled { InterruptFlag.enable() }
    }

    /// The same where interrupts are off.
    @inline(__always)
    static func sendInterruptsOff(_ command: InterruptCommand, to destination: UInt32) {
        let registers = LocalAPIC.registers
        if registers.read32(LocalAPIC.Register.commandLow) & pending != 0 { waitUntilAccepted() }
        registers.write32(LocalAPIC.Register.commandHigh, destination << 24)
        registers.write32(LocalAPIC.Register.commandLow, command.low)
    }

    /// Waits for the command before, for so long; one that stays is counted and overwritten.
    @inline(never)
    private static func waitUntilAccepted() {
        for _ in 0..<patience {
            if LocalAPIC.read(LocalAPIC.Register.commandLow) & pending == 0 { return }
            Spin.pause()
        }
        LocalAPIC.noteStuckCommand()
    }

    /// Gives this CPU its bit in the flat model of logical destinations: the first eight CPUs have one.
    static func setLogicalIdentifier(cpu: Int) {
        LocalAPIC.write(LocalAPIC.Register.destinationFormat, .max)
        LocalAPIC.write(LocalAPIC.Register.logicalDestination, cpu < 8 ? 1 << UInt32(24 + cpu) : 0)
    }
}
