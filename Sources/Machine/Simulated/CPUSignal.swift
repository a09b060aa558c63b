// Interrupts from CPU to CPU of a simulated machine; a test may let some get lost.

public enum CPUSignal {
    public static func send(_ vector: UInt8, cpu: Int) {
        let machine = SimulatedCPU.current.machine
        machine.sentIPIs += 1
        if machine.losesIPI?(cpu, vector) ?? false { return }
        machine.cpus[cpu].raise(vector)
    }

    /// Never called: no CPU of this machine is in a set.
    public static func send(_ vector: UInt8, set: UInt32) {}

    public static func set(of cpu: Int) -> (cluster: UInt32, set: UInt32)? { nil }

    public static func flatSet(_ bits: UInt64) -> UInt32? { nil }

    /// There are no NMIs here.
    public static func sendNMI(cpu: Int) {}
}
