// A 16550A as the driver sees it: registers, FIFOs, loopback, the interrupt identification. What is
// sent stays in `sent`; the transmitter empties at once unless it is held.

import Machine
import Synchronization

final class SimulatedUART: SimulatedPortDevice {
    struct State {
        var interruptEnable: UInt8 = 0
        var fifoControl: UInt8 = 0
        var lineControl: UInt8 = 0
        var modemControl: UInt8 = 0
        var scratch: UInt8 = 0
        var divisor: UInt16 = 1
        var received: [UInt8] = []
        var errors: [UInt8] = []
        var transmitFIFO: [UInt8] = []
        var sent: [UInt8] = []
        /// The wire takes nothing.
        var isHeld = false
        /// A transmitter-empty interrupt stands until identified or served.
        var transmitterInterrupt = false
        /// Bytes written to a full FIFO.
        var lost = 0
        var reads = 0
    }

    let state = Mutex(State())
    let base: UInt16
    let hasFIFO: Bool
    let hasScratch: Bool

    init(base: UInt16, hasFIFO: Bool = true, hasScratch: Bool = true) {
        self.base = base
        self.hasFIFO = hasFIFO
        self.hasScratch = hasScratch
        SimulatedBus.attach(self, to: base...base + 7)
    }

    func receive(_ bytes: [UInt8]) { state.withLock { $0.received += bytes } }
    var sent: [UInt8] { state.withLock { $0.sent } }

    /// Holds the wire, or lets it take what the FIFO keeps.
    func hold(_ held: Bool) {
        state.withLock {
            $0.isHeld = held
            if !held { drain(&$0) }
        }
    }

    /// Whether the chip's interrupt line is up.
    var interruptLine: Bool { state.withLock { identify($0) & 1 == 0 && $0.modemControl & 8 != 0 } }

    private func drain(_ state: inout State) {
        state.sent += state.transmitFIFO
        state.transmitFIFO = []
        state.transmitterInterrupt = true
    }

    private func identify(_ state: State) -> UInt8 {
        let fifo: UInt8 = hasFIFO && state.fifoControl & 1 != 0 ? 0xc0 : 0
        if state.interruptEnable & 4 != 0, state.errors.contains(where: { $0 != 0 }) { return fifo | 6 }
        if state.interruptEnable & 1 != 0, !state.received.isEmpty { return fifo | 4 }
        if state.interruptEnable & 2 != 0, state.transmitterInterrupt { return fifo | 2 }
        return fifo | 1
    }

    func read(_ port: UInt16, width: Int) -> UInt32 {
        state.withLock { state in
            state.reads += 1
            let latched = state.lineControl & 0x80 != 0
            switch port - base {
            case 0 where latched: return UInt32(state.divisor & 0xff)
            case 1 where latched: return UInt32(state.divisor >> 8)
            case 0:
                if !state.errors.isEmpty { state.errors.removeFirst() }
                return state.received.isEmpty ? 0 : UInt32(state.received.removeFirst())
            case 1: return UInt32(state.interruptEnable)
            case 2:
                let identified = identify(state)
                if identified & 0x0f == 2 { state.transmitterInterrupt = false }
                return UInt32(identified)
            case 3: return UInt32(state.lineControl)
            case 4: return UInt32(state.modemControl)
            case 5:
                var status: UInt8 = state.transmitFIFO.isEmpty ? 0x60 : 0
                if !state.received.isEmpty { status |= 1 | (state.errors.first ?? 0) }
                return UInt32(status)
            case 6:
                guard state.modemControl & 16 != 0 else { return 0xb0 }
                let outputs = state.modemControl
                return UInt32(
                    (outputs & 2) << 3 | (outputs & 1) << 5 | (outputs & 4) << 4 | (outputs & 8) << 4)
            default: return hasScratch ? UInt32(state.scratch) : 0xff
            }
        }
    }

    func write(_ port: UInt16, _ value: UInt32, width: Int) {
        let byte = UInt8(truncatingIfNeeded: value)
        state.withLock { state in
            let latched = state.lineControl & 0x80 != 0
            switch port - base {
            case 0 where latched: state.divisor = state.divisor & 0xff00 | UInt16(byte)
            case 1 where latched: state.divisor = state.divisor & 0xff | UInt16(byte) << 8
            case 0:
                let room = hasFIFO && state.fifoControl & 1 != 0 ? 16 : 1
                guard state.transmitFIFO.count < room else { return state.lost += 1 }
                state.transmitFIFO.append(byte)
                state.transmitterInterrupt = false
                if !state.isHeld { drain(&state) }
            case 1:
                let newly = byte & ~state.interruptEnable
                state.interruptEnable = byte & 0x0f
                if newly & 2 != 0, state.transmitFIFO.isEmpty { state.transmitterInterrupt = true }
            case 2: state.fifoControl = byte
            case 3: state.lineControl = byte
            case 4: state.modemControl = byte & 0x1f
            case 7: state.scratch = byte
            default: break
            }
        }
    }
}
