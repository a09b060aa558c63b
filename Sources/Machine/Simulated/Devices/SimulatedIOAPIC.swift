// A model of an I/O APIC: its index and data registers, its redirection table, and its inputs.

import Synchronization

public final class SimulatedIOAPIC: SimulatedMemoryDevice {
    struct State {
        var index: UInt32 = 0
        var table: [UInt32]
        /// Inputs held by their device (level lines).
        var asserted: [Bool]
        /// Every write of a redirection register: register and value.
        var writes: [(register: UInt32, value: UInt32)] = []
    }

    private let state: Mutex<State>
    public let count: Int

    public init(count: Int = 24) {
        self.count = count
        state = Mutex(
            State(
                table: Array(repeating: 0, count: count * 2), asserted: Array(repeating: false, count: count)
            ))
    }

    /// The entry of an input.
    public func entry(_ pin: Int) -> RedirectionEntry? {
        state.withLock { RedirectionEntry(low: $0.table[pin * 2], high: $0.table[pin * 2 + 1]) }
    }

    /// Every write of an input's entry: false for the low half, true for the high one, and the value.
    public func writes(_ pin: Int) -> [(isHigh: Bool, value: UInt32)] {
        state.withLock { state in
            state.writes.filter { Int($0.register - 0x10) / 2 == pin }.map {
                ($0.register & 1 != 0, $0.value)
            }
        }
    }

    /// What an interrupt at this input sends now: the vector, unless it is masked.
    public func raise(_ pin: Int) -> UInt8? {
        guard let entry = entry(pin), !entry.isMasked else { return nil }
        return entry.vector
    }

    public func read(_ offset: Int, width: Int) -> UInt64 {
        state.withLock { state in
            guard offset == 0x10 else { return UInt64(state.index) }
            if state.index == 1 { return UInt64(count - 1) << 16 | 0x20 }
            let register = Int(state.index) - 0x10
            return state.table.indices.contains(register) ? UInt64(state.table[register]) : 0
        }
    }

    public func write(_ offset: Int, _ value: UInt64, width: Int) {
        state.withLock { state in
            let value = UInt32(truncatingIfNeeded: value)
            if offset == 0 {
                state.index = value
            } else if offset == 0x10 {
                let register = Int(state.index) - 0x10
                guard state.table.indices.contains(register) else { return }
                state.table[register] = value
                state.writes.append((state.index, value))
            }
        }
    }
}
