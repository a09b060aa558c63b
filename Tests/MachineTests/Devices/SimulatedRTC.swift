// An MC146818 as the driver sees it: two ports, updates that change the registers while they are read, flags in register C.

import Machine
import Synchronization

final class SimulatedRTC: SimulatedPortDevice {
    struct State {
        var registers = [UInt8](repeating: 0, count: 128)
        var index = 0
        /// Register reads until the next second begins; nil for a clock that stands still.
        var readsToUpdate: Int?
        /// Reads for which an update is shown as under way before the registers change.
        var updateReads = 0
        var updates = 0
    }

    let state: Mutex<State>
    /// What the clock shows after each further second: whole sets of registers.
    let seconds: [[Int: UInt8]]

    init(_ registers: [Int: UInt8], then seconds: [[Int: UInt8]] = []) {
        var state = State()
        for (number, value) in registers { state.registers[number] = value }
        self.state = Mutex(state)
        self.seconds = seconds
        SimulatedBus.attach(self, to: 0x70...0x71)
    }

    /// The next second begins after so many reads; just before, register A says so for `warning` reads.
    func update(afterReads count: Int, warning: Int) {
        state.withLock {
            $0.readsToUpdate = count
            $0.updateReads = warning
        }
    }

    func register(_ number: Int) -> UInt8 { state.withLock { $0.registers[number] } }
    func setFlags(_ flags: UInt8) { state.withLock { $0.registers[12] |= flags } }

    func read(_ port: UInt16, width: Int) -> UInt32 {
        state.withLock { state in
            guard port == 0x71 else { return 0xff }
            let isUpdating = advance(&state)
            let value = state.registers[state.index]
            if state.index == 12 { state.registers[12] = 0 }
            if state.index == 10 { return UInt32(value & 0x7f | (isUpdating ? 0x80 : 0)) }
            return UInt32(value)
        }
    }

    private func advance(_ state: inout State) -> Bool {
        guard let left = state.readsToUpdate else { return false }
        guard left <= 0 else {
            state.readsToUpdate = left - 1
            return left <= state.updateReads
        }
        state.readsToUpdate = nil
        if state.updates < seconds.count {
            for (number, value) in seconds[state.updates] { state.registers[number] = value }
        }
        state.updates += 1
        return false
    }

    func write(_ port: UInt16, _ value: UInt32, width: Int) {
        state.withLock { state in
            if port == 0x70 {
                state.index = Int(value & 0x7f)
            } else {
                state.registers[state.index] = UInt8(truncatingIfNeeded: value)
            }
        }
    }
}
