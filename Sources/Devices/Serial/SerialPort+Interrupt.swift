// The top half: moves bytes between chip and rings, counts what went wrong, wakes the port's thread.

import Machine
import Primitives
import Synchronization

extension SerialPort {
    /// Turns of the top half before it gives up: a chip that always has something is broken.
    private static let patience = 256

    /// Serves the chip until it has nothing more to say; false if it had nothing at all.
    @_noAllocation
    func serve() -> Bool {
        let uart = unsafe state.pointee.uart
        var served = false
        for _ in 0..<Self.patience {
            if uart.identification.read8() & UART.Identification.nonePending != 0 { break }
            served = true
            receive(uart)
            if UART.ModemStatus.changed & uart.modemStatus.read8() != 0 { notify(.modemStatus) }
            unsafe state.pointee.lock.pointee.withLockInterruptsOff { _, _ in transmitLocked() }
        }
        return served
    }

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
