// The clock of the simulated machine: virtual nanoseconds that pass as simulated code runs.

public enum CycleClock {
    public static let frequency: UInt64 = 1_000_000_000
    public static var cycles: UInt64 { SimulatedCPU.current.machine.clock }
    public static var now: UInt64 { SimulatedCPU.current.machine.clock }
    public static func time(at cycles: UInt64) -> UInt64 { cycles }
    public static func nanoseconds(_ cycles: UInt64) -> UInt64 { cycles }
    public static func cycles(nanoseconds: UInt64) -> UInt64 { nanoseconds }
    public static func start(frequency: UInt64, origin: UInt64) {}
}
