// A model of the local APIC's registers in memory: enough to see what a driver writes, in which order.

import Synchronization

public final class SimulatedLocalAPIC: SimulatedMemoryDevice {
    /// A command that was sent to other CPUs.
    public struct Command: Equatable, Sendable {
        public var destination: UInt32
        public var low: UInt32

        public init(destination: UInt32, low: UInt32) {
            self.destination = destination
            self.low = low
        }
    }

    struct State {
        var registers: [Int: UInt32] = [:]
        var commands: [Command] = []
        var acknowledged = 0
        /// Vectors in service, the one that was accepted last at the end.
        var inService: [UInt8] = []
        /// How far the timer counts with each reading of its count.
        var countStep: UInt32 = 0
    }

    private let state = Mutex(State())

    public init(identifier: UInt32 = 0) {
        state.withLock {
            $0.registers[0x20] = identifier << 24
            $0.registers[0x30] = 5 << 16 | 0x14
        }
    }

    /// What a register holds.
    public subscript(register: Int) -> UInt32 { state.withLock { $0.registers[register] ?? 0 } }

    public var commands: [Command] { state.withLock { $0.commands } }
    /// How often an interrupt's end was written.
    public var acknowledged: Int { state.withLock { $0.acknowledged } }
    public var inService: [UInt8] { state.withLock { $0.inService } }

    /// Puts an interrupt of `vector` in service.
    public func accept(_ vector: UInt8) { state.withLock { $0.inService.append(vector) } }

    /// Makes the timer count by `step` with each look at its count.
    public func runTimer(step: UInt32) { state.withLock { $0.countStep = step } }

    public func read(_ offset: Int, width: Int) -> UInt64 {
        state.withLock { state in
            if (0x100..<0x180).contains(offset) {
                let word = (offset - 0x100) / 16
                return state.inService.reduce(0) { $1 >> 5 == word ? $0 | 1 << UInt64($1 & 31) : $0 }
            }
            if offset == 0x390 {
                let count = state.registers[offset] ?? 0
                state.registers[offset] = count > state.countStep ? count - state.countStep : 0
            }
            return UInt64(state.registers[offset] ?? 0)
        }
    }

    public func write(_ offset: Int, _ value: UInt64, width: Int) {
        state.withLock { state in
            let value = UInt32(truncatingIfNeeded: value)
            switch offset {
            case 0xb0:
                state.acknowledged += 1
                if let highest = state.inService.max(), let index = state.inService.lastIndex(of: highest) {
                    state.inService.remove(at: index)
                }
            case 0x300:
                state.commands.append(
                    Command(destination: (state.registers[0x310] ?? 0) >> 24, low: value))
            case 0x380:
                state.registers[0x380] = value
                state.registers[0x390] = value
            default: state.registers[offset] = value
            }
        }
    }
}
