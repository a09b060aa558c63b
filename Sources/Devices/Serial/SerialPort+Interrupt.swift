// The top half: takes what the chip has received, counts what went wrong, and leaves the rest to the bottom halves.

import Deferred
import Machine
import Primitives
import Synchronization

extension SerialPort {
    /// What a turn of the top half found.
    enum Served {
        /// Nothing: the interrupt was not this port's.
        case nothing
        case served
        /// And the transmitter wants more.
        case transmitterIsEmpty
    }

    /// Turns of the top half before it gives up: a chip that always has something is broken.
    private static let patience = 256

    /// Serves the chip until it has nothing more to say.
    @_noAllocation
    func serve() -> Served {
        let uart = unsafe state.pointee.uart
        var result = Served.nothing
        for _ in 0..<Self.patience {
            // Reading it also takes back a transmitter's interrupt, which comes again after the next byte.
            let identification = uart.identification.read8()
            if identification & UART.Identification.nonePending != 0 { break }
            if identification & UART.Identification.source == UART.Identification.transmitterEmpty {
                result = .transmitterIsEmpty
            } else if result == .nothing {
                result = .served
            }
            receive(uart)
            if UART.ModemStatus.changed & uart.modemStatus.read8() != 0 { notify(.modemStatus) }
        }
        return result
    }

    /// Has the chip's transmitter filled soon. Any context but NMI.
    @_noAllocation
    func transmitSoon() { unsafe state.pointee.transmitter.schedule() }

    /// Empties the receive FIFO into the ring.
    @_noAllocation
    private func receive(_ uart: UART) {
        var got: UInt32 = 0
        var status = uart.lineStatus.read8()
        while status & (UART.LineStatus.dataReady | UART.LineStatus.breakReceived) != 0, got < 256 {
            store(ReceivedByte(uart.data.read8(), condition(status)))
            got &+= 1
            status = uart.lineStatus.read8()
        }
        if status & UART.LineStatus.overrun != 0 {
            _ = unsafe state.pointee.counters.overruns.wrappingAdd(1, ordering: .relaxed)
        }
        guard got > 0 else { return }
        _ = unsafe state.pointee.counters.received.wrappingAdd(got, ordering: .relaxed)
        notify(.received)
    }

    @_noAllocation @inline(__always)
    private func store(_ received: ReceivedByte) {
        if unsafe !state.pointee.receivedRing.put(received) {
            _ = unsafe state.pointee.counters.bufferOverruns.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// What the line status says about the byte at the head of the FIFO; counts errors.
    @_noAllocation @inline(__always)
    private func condition(_ status: UInt8) -> ReceivedByte.Condition {
        if status & UART.LineStatus.overrun != 0 {
            _ = unsafe state.pointee.counters.overruns.wrappingAdd(1, ordering: .relaxed)
        }
        if status & UART.LineStatus.breakReceived != 0 {
            _ = unsafe state.pointee.counters.breaks.wrappingAdd(1, ordering: .relaxed)
            return .breakReceived
        }
        if status & UART.LineStatus.parityError != 0 {
            _ = unsafe state.pointee.counters.parityErrors.wrappingAdd(1, ordering: .relaxed)
            return .parityError
        }
        if status & UART.LineStatus.framingError != 0 {
            _ = unsafe state.pointee.counters.framingErrors.wrappingAdd(1, ordering: .relaxed)
            return .framingError
        }
        return .normal
    }
}
