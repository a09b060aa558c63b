// Interrupts from CPU to CPU of a simulated machine; a test may let some get lost.

public enum CPUSignal {
    public static func send(_ vector: UInt8, cpu: Int) {
        let machine = SimulatedCPU.current.machine
        machine.sentIPIs += 1
        if machine.losesIPI?(cpu, vector) ?? false { return }
        machine.cpus[cpu].raise(vector)
    }

    public static func sendInterruptsOff(_ vector: UInt8, cpu: Int) { send(vector, cpu: cpu) }

    /// Reaches every other CPU of the machine, whatever that is doing.
    public static func sendToOthers(_ vector: UInt8) {
        let machine = SimulatedCPU.current.machine
        machine.sentBroadcasts += 1
        for cpu in machine.cpus where cpu !== SimulatedCPU.current { deliver(vector, to: cpu) }
    }

    public static func sendToAll(_ vector: UInt8) {
        sendToOthers(vector)
        deliver(vector, to: SimulatedCPU.current)
    }

    private static func deliver(_ vector: UInt8, to cpu: SimulatedCPU) {
        if cpu.machine.losesIPI?(cpu.index, vector) ?? false { return }
        cpu.raise(vector)
    }

    /// Never called: no CPU of this machine is in a set.
    public static func send(_ vector: UInt8, set: UInt32) {}
    public static func sendInterruptsOff(_ vector: UInt8, set: UInt32) {}

    public static func set(of cpu: Int) -> (cluster: UInt32, set: UInt32)? { nil }

    public static func flatSet(_ bits: UInt64) -> UInt32? { nil }

    /// There are no NMIs here.
    public static func sendNMI(cpu: Int) {}
}
