// The sets of a simulated machine's CPUs; code that runs outside one has a set for the process.

public enum CPUSetRoot {
    private static let sets = CPUSets()

    public static func with<R>(_ body: (borrowing CPUSets) -> R) -> R {
        guard let machine = SimulatedThread.cpu?.machine, machine.isRunning else { return body(sets) }
        return body(machine.cpuSets)
    }
}
