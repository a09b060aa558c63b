// The console of the kernel log: bytes to a serial port by polling, from the first line of the boot
// sequence to the last line of a panic. No interrupts, no heap, any context.
//
// The port is shared with the interrupt-driven driver. Both write to the transmitter only under
// `UART.lock` and only when it is empty, so neither overruns the other's bytes. The lock is held
// for one test and one byte; waiting happens outside. A crash that finds the lock held by its own
// CPU goes past it: a lost byte is better than a silent panic.

import Machine
import Primitives
import Synchronization

public enum EarlyConsole {
    /// First I/O port of the console's chip, 0 while there is none.
    private static let base = Atomic<UInt16>(0)
    /// Set when the chip did not empty in time: from then on a byte waits for it only once.
    private static let isStuck = Atomic<Bool>(false)
    /// Turns of waiting for one byte: more than a character's time at 300 baud takes.
    private static let patience = 100_000

    /// Sends the console to the chip at `base` with 8N1 at `baud`, if one answers there; says whether.
    /// Boot only, before other CPUs run.
    @discardableResult
    public static func initialize(base port: UInt16 = 0x3f8, baud: UInt32 = 115_200) -> Bool {
        let uart = UART(base: port)
        let model = uart.detect()
        guard model != .none else { return false }
        uart.lineControl.write8(UART.LineControl.eightBits)
        uart.setSpeed(baud)
        if model == .i16550A {
            uart.identification.write8(
                UART.FIFOControl.enable | UART.FIFOControl.clearReceiver
                    | UART.FIFOControl.clearTransmitter | UART.FIFOControl.trigger8)
        }
        uart.modemControl.write8(UART.ModemControl.dataTerminalReady | UART.ModemControl.requestToSend)
        base.store(port, ordering: .releasing)
        return true
    }

    /// Detects a chip that may carry the console: waits for what is on its way, and puts its FIFOs back on.
    static func detectAround(_ uart: UART) -> UARTModel {
        guard base.load(ordering: .acquiring) == uart.base else { return uart.detect() }
        for _ in 0..<patience where !uart.status(has: UART.LineStatus.transmitterIdle) { Spin.pause() }
        let model = uart.detect()
        if model == .i16550A { uart.identification.write8(SerialPort.fifoSetting) }
        return model
    }

    /// The console is silent from now on.
    public static func remove() { base.store(0, ordering: .releasing) }

    /// Writes one byte, a line feed as carriage return and line feed. Any context; waits for the chip.
    public static func put(_ byte: UInt8) {
        let port = base.load(ordering: .acquiring)
        guard port != 0 else { return }
        let uart = UART(base: port)
        if byte == 10 { transmit(13, to: uart) }
        transmit(byte, to: uart)
    }

    private static func transmit(_ byte: UInt8, to uart: UART) {
        var turns = isStuck.load(ordering: .relaxed) ? 1 : patience
        while turns > 0 {
            if transmitIfEmpty(byte, to: uart) {
                isStuck.store(false, ordering: .relaxed)
                return
            }
            Spin.pause()
            turns &-= 1
        }
        isStuck.store(true, ordering: .relaxed)
    }

    private static func transmitIfEmpty(_ byte: UInt8, to uart: UART) -> Bool {
        if UART.lock.holderCPU == CPU.index { return transmitIfEmptyLocked(byte, to: uart) }
        return UART.lock.withLockInterruptsOff { _, _ in transmitIfEmptyLocked(byte, to: uart) }
    }

    private static func transmitIfEmptyLocked(_ byte: UInt8, to uart: UART) -> Bool {
        guard uart.status(has: UART.LineStatus.holdingEmpty) else { return false }
        uart.data.write8(byte)
        return true
    }
}
