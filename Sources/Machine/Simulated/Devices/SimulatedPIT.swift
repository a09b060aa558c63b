// A model of the PIT's channel 2 with its gate at port 0x61: it counts down by so many ticks with each look.

import Synchronization

public final class SimulatedPIT: SimulatedPortDevice {
    struct State {
        var count: UInt16 = 0
        var latch: [UInt8] = []
        var loading: [UInt8] = []
        var control: UInt8 = 0
        var step: UInt16
    }

    private let state: Mutex<State>

    /// - Parameter step: ticks between two looks at the counter; 0 for one that stands still.
    public init(step: UInt16) { state = Mutex(State(step: step)) }

    public func read(_ port: UInt16, width: Int) -> UInt32 {
        state.withLock { state in
            if port == 0x61 { return UInt32(state.control) | (state.count == 0 ? 0x20 : 0) }
            guard port == 0x42, !state.latch.isEmpty else { return 0xff }
            return UInt32(state.latch.removeFirst())
        }
    }

    public func write(_ port: UInt16, _ value: UInt32, width: Int) {
        state.withLock { state in
            let value = UInt8(truncatingIfNeeded: value)
            switch port {
            case 0x61: state.control = value & 3
            case 0x43 where value == 0x80:
                if state.control & 1 != 0 {
                    state.count = state.count > state.step ? state.count - state.step : 0
                }
                state.latch = [UInt8(state.count & 0xff), UInt8(state.count >> 8)]
            case 0x42:
                state.loading.append(value)
                if state.loading.count == 2 {
                    state.count = UInt16(state.loading[0]) | UInt16(state.loading[1]) << 8
                    state.loading = []
                }
            default: break
            }
        }
    }
}
