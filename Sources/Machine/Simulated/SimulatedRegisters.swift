// The model-specific registers, CPUID leaves and counter of the simulated machine: what a test puts
// there. Shared by all of its CPUs, whose registers differ only where a test makes them.

import Synchronization

public enum SimulatedRegisters {
    struct State {
        var msr: [UInt32: UInt64] = [:]
        var cpuid: [UInt64: CPUID.Leaf] = [:]
        var control: [Int: UInt64] = [:]
        var tsc: UInt64 = 0
        /// How far each reading of the counter moves it.
        var tscStep: UInt64 = 1
        /// Called in each reading of the counter, so that other devices' clocks can follow it.
        var onTSC: (@Sendable (UInt64) -> Void)? = nil
    }

    static let state = Mutex(State())

    public static func reset() { state.withLock { $0 = State() } }

    public static func setMSR(_ msr: MSR, _ value: UInt64) {
        state.withLock { $0.msr[msr.number] = value }
    }

    public static func setCPUID(_ leaf: UInt32, _ subleaf: UInt32 = 0, to value: CPUID.Leaf) {
        state.withLock { $0.cpuid[UInt64(leaf) << 32 | UInt64(subleaf)] = value }
    }

    /// Makes the counter advance by `step` with each reading, and tells `onRead` its value.
    public static func runTSC(step: UInt64, onRead: (@Sendable (UInt64) -> Void)? = nil) {
        state.withLock {
            $0.tscStep = step
            $0.onTSC = onRead
        }
    }
}

extension MSR {
    /// Reads the register; 0 where a test put none.
    public func read() -> UInt64 { SimulatedRegisters.state.withLock { $0.msr[number] ?? 0 } }
    public func write(_ value: UInt64) { SimulatedRegisters.state.withLock { $0.msr[number] = value } }
    /// Reads a register that may not exist: nil where a test put none.
    public func readIfPresent() -> UInt64? { SimulatedRegisters.state.withLock { $0.msr[number] } }
    /// Writes a register that may not exist: whether it does.
    public func writeIfPresent(_ value: UInt64) -> Bool {
        SimulatedRegisters.state.withLock {
            guard $0.msr[number] != nil else { return false }
            $0.msr[number] = value
            return true
        }
    }
}

extension CPUID {
    public static func leaf(_ leaf: UInt32, _ subleaf: UInt32 = 0) -> Leaf {
        SimulatedRegisters.state.withLock { $0.cpuid[UInt64(leaf) << 32 | UInt64(subleaf)] ?? Leaf() }
    }
}

public enum ControlRegister {
    public static var cr0: UInt64 {
        get { get(0) }
        set { set(0, newValue) }
    }
    public static var cr2: UInt64 {
        get { get(2) }
        set { set(2, newValue) }
    }
    public static var cr3: UInt64 {
        get { get(3) }
        set { set(3, newValue) }
    }
    public static var cr4: UInt64 {
        get { get(4) }
        set { set(4, newValue) }
    }

    private static func get(_ number: Int) -> UInt64 {
        SimulatedRegisters.state.withLock { $0.control[number] ?? 0 }
    }
    private static func set(_ number: Int, _ value: UInt64) {
        SimulatedRegisters.state.withLock { $0.control[number] = value }
    }
}

public enum TSC {
    public static func read() -> UInt64 {
        let (value, follow) = SimulatedRegisters.state.withLock { state in
            state.tsc &+= state.tscStep
            return (state.tsc, state.onTSC)
        }
        follow?(value)
        return value
    }
    public static func readOrdered() -> UInt64 { read() }
}
