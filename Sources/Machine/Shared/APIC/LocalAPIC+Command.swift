// Interrupts to other CPUs, through the interrupt command register (Intel SDM volume 3, 10.6): the one
// face of both drivers.

extension LocalAPIC {
    @inline(__always)
    private static func send(_ command: InterruptCommand, to destination: UInt32) {
        if isX2APIC { X2APIC.send(command, to: destination) } else { XAPIC.send(command, to: destination) }
    }

    @inline(__always)
    private static func sendInterruptsOff(_ command: InterruptCommand, to destination: UInt32) {
        if isX2APIC {
            X2APIC.send(command, to: destination)
        } else {
            XAPIC.sendInterruptsOff(command, to: destination)
        }
    }

    /// Sends interrupt `vector` to the CPU of that identifier. Interrupts are off.
    @inline(__always)
    public static func sendInterruptsOff(vector: UInt8, to apicID: UInt32) {
        sendInterruptsOff(.fixed(vector), to: apicID)
    }

    /// Sends interrupt `vector` to the CPU of that identifier. Any context.
    @inline(__always)
    public static func send(vector: UInt8, to apicID: UInt32) { send(.fixed(vector), to: apicID) }

    /// Sends interrupt `vector` to a set of CPUs at once. Any context.
    /// - Parameter set: what `logicalSet` makes.
    @inline(__always)
    public static func send(vector: UInt8, toSet set: UInt32) { send(.fixedToSet(vector), to: set) }

    /// The same where interrupts are off.
    @inline(__always)
    public static func sendInterruptsOff(vector: UInt8, toSet set: UInt32) {
        sendInterruptsOff(.fixedToSet(vector), to: set)
    }

    /// The CPU's part in a set that one command reaches; sets of the same cluster can be joined by OR. nil for a CPU
    /// that is in none: with the xAPIC, those behind the eighth.
    @inline(__always)
    public static func logicalSet(cpu: Int, apicID: UInt32) -> (cluster: UInt32, set: UInt32)? {
        if isX2APIC {
            let identifier = X2APIC.logicalIdentifier(apicID)
            return (identifier >> 16, identifier)
        }
        return cpu < 8 ? (0, 1 << UInt32(cpu)) : nil
    }

    /// Sends interrupt `vector` to every CPU but this one, also to those the kernel does not use. Any context.
    public static func sendToOthers(vector: UInt8) { send(.fixed(vector, .others), to: 0) }

    /// Sends interrupt `vector` to every CPU, this one too. Any context.
    public static func sendToAll(vector: UInt8) { send(.fixed(vector, .all), to: 0) }

    /// Sends interrupt `vector` to this CPU. Any context.
    public static func sendToSelf(vector: UInt8) {
        if isX2APIC { X2APIC.sendToSelf(vector) } else { XAPIC.send(.fixed(vector, .itself), to: 0) }
    }

    /// Sends an NMI to the CPU of that identifier. Any context.
    public static func sendNMI(to apicID: UInt32) { send(.nmi(), to: apicID) }

    /// Sends an NMI to every CPU but this one. Any context.
    public static func sendNMIToOthers() { send(.nmi(.others), to: 0) }

    /// Resets the CPU of that identifier: it waits for `sendStartup`. The protocol asks for 10 ms between
    /// this and the first start-up on CPUs that need one at all (Intel SDM volume 3, 9.4.4).
    public static func sendINIT(to apicID: UInt32) {
        send(.initialize, to: apicID)
        if !isX2APIC { send(.deassert, to: apicID) }
    }

    /// Starts the CPU of that identifier in real mode at `page` (below 1 MiB).
    public static func sendStartup(to apicID: UInt32, page: PhysicalAddress) {
        send(.startup(page), to: apicID)
    }
}
