// Sending: the terminal puts bytes into the ring and starts the transmitter; from then on its
// "I am empty" interrupt lets the port's tasklet fetch more, until the ring is empty.

import Machine
import Primitives
import Synchronization

extension SerialPort {
    /// Bytes the ring takes now. The terminal, under its lock.
    @inline(__always)
    public var transmitRoom: Int { unsafe state.pointee.transmitRing.room }

    /// Bytes not yet handed to the chip.
    public var transmitCount: Int { unsafe state.pointee.transmitRing.count }

    /// Adds a byte to the ring; false if it is full. The terminal, under its lock.
    @inline(__always)
    public func put(_ byte: UInt8) -> Bool { unsafe state.pointee.transmitRing.put(byte) }

    /// Gets the transmitter going. Any context but NMI.
    public func startTransmitting() {
        unsafe state.pointee.lock.pointee.withLockInterruptsOff { _, _ in transmitLocked() }
    }

    /// Sends a byte before all others, stopped or not (VSTART, VSTOP for the other end).
    public func sendUrgently(_ byte: UInt8) {
        unsafe state.pointee.urgent.store(0x100 | UInt16(byte), ordering: .releasing)
        startTransmitting()
    }

    /// Stops or continues the output; what the chip has already goes out.
    public func setStopped(_ stopped: Bool) {
        unsafe state.pointee.isStopped.store(stopped, ordering: .releasing)
        if !stopped { startTransmitting() }
    }

    /// Drops what was not sent yet, in the chip too.
    public func flushTransmit() {
        UART.lock.withLockInterruptsOff { _, _ in
            unsafe state.pointee.transmitRing.removeAll()
            if model == .i16550A {
                uart.identification.write8(Self.fifoSetting | UART.FIFOControl.clearTransmitter)
            }
        }
        notify(.transmitted)
    }

    /// The last bit of the last byte is on the wire.
    public var isTransmitterIdle: Bool {
        transmitCount == 0 && uart.status(has: UART.LineStatus.transmitterIdle)
    }

    /// Sends the whole ring by polling, for the last words before power goes. At most about a second.
    public func drainPolled() {
        for _ in 0..<1_000_000 {
            if isTransmitterIdle { return }
            startTransmitting()
            Spin.pause()
        }
    }

    static let fifoSetting = UART.FIFOControl.enable | UART.FIFOControl.trigger8

    /// Room in the ring at which the terminal is told that it may go on.
    private static let wakeRoom = SerialPortState.ringSize / 2

    /// Fills the chip's FIFO if it is empty, and asks for an interrupt if there is more to send.
    @_noAllocation
    func transmitLocked() {
        let uart = unsafe state.pointee.uart
        if uart.status(has: UART.LineStatus.holdingEmpty) { fill(uart) }
        let isBlocked = unsafe state.pointee.isStopped.load(ordering: .acquiring) || !isClearToSend()
        let more = unsafe !state.pointee.transmitRing.isEmpty && !isBlocked
        setInterrupt(UART.InterruptEnable.transmitterEmpty, on: more)
    }

    @_noAllocation
    private func fill(_ uart: UART) {
        var left = unsafe state.pointee.model.transmitFIFO
        let urgent = unsafe state.pointee.urgent.exchange(0, ordering: .acquiring)
        if urgent != 0 {
            uart.data.write8(UInt8(truncatingIfNeeded: urgent))
            left &-= 1
        }
        guard unsafe !state.pointee.isStopped.load(ordering: .acquiring), isClearToSend() else { return }
        let roomBefore = unsafe state.pointee.transmitRing.room
        var sent: UInt32 = 0
        while left > 0, let byte = unsafe state.pointee.transmitRing.take() {
            uart.data.write8(byte)
            left &-= 1
            sent &+= 1
        }
        _ = unsafe state.pointee.counters.transmitted.wrappingAdd(sent, ordering: .relaxed)
        let roomAfter = unsafe state.pointee.transmitRing.room
        let isEmptyNow = sent > 0 && roomAfter == SerialPortState.ringSize
        if isEmptyNow || roomBefore < Self.wakeRoom && roomAfter >= Self.wakeRoom { notify(.transmitted) }
    }

    /// The other end lets bytes come (always, unless CRTSCTS).
    @_noAllocation
    private func isClearToSend() -> Bool {
        unsafe !state.pointee.usesClearToSend.load(ordering: .relaxed)
            || state.pointee.uart.modemStatus.read8() & UART.ModemStatus.clearToSend != 0
    }

    /// Switches one of the chip's interrupts. Under `UART.lock`.
    @_noAllocation
    func setInterrupt(_ bit: UInt8, on: Bool) {
        let old = unsafe state.pointee.interruptEnable
        let new = on ? old | bit : old & ~bit
        guard new != old else { return }
        unsafe state.pointee.interruptEnable = new
        unsafe state.pointee.uart.interruptEnable.write8(new)
    }
}
