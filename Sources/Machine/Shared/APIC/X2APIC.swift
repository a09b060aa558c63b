// The driver of local APICs whose registers are model-specific: a command is one write, identifiers have 32
// bits, and no command is ever pending (Intel SDM volume 3, 10.12.9).

enum X2APIC {
    /// Sends one command. Any context.
    @inline(__always)
    static func send(_ command: InterruptCommand, to destination: UInt32) {
        // All earlier stores must be visible before the interrupt is: WRMSR to the x2APIC does not
        // order them (Intel SDM volume 3, 10.12.3).
        Spin.fence()
        LocalAPIC.msr(LocalAPIC.Register.commandLow).write(UInt64(destination) << 32 | UInt64(command.low))
    }

    @inline(__always)
    static func sendToSelf(_ vector: UInt8) {
        Spin.fence()
        LocalAPIC.write(LocalAPIC.Register.selfIPI, UInt32(vector))
    }

    /// The logical identifier that the hardware gives: sixteen CPUs of neighbouring identifiers are a cluster
    /// (Intel SDM volume 3, 10.12.10.2).
    @inline(__always)
    static func logicalIdentifier(_ apicID: UInt32) -> UInt32 { (apicID >> 4) << 16 | 1 << (apicID & 15) }
}
