// The line: speed, format, modem lines, breaks, and switching a port on and off.

import Machine
import Primitives
import Synchronization

/// Speed and format of a line.
public struct SerialLine: Equatable, Sendable {
    public var baud: UInt32 = 115_200
    /// 5 … 8.
    public var dataBits: UInt8 = 8
    public var hasTwoStopBits = false
    public var parity = Parity.none
    public var usesClearToSend = false

    public enum Parity: UInt8, Sendable { case none, odd, even, mark, space }

    public init() {}

    /// As the line control register wants it.
    var control: UInt8 {
        var bits = min(max(dataBits, 5), 8) - 5
        if hasTwoStopBits { bits |= UART.LineControl.twoStopBits }
        switch parity {
        case .none: break
        case .odd: bits |= UART.LineControl.parity
        case .even: bits |= UART.LineControl.parity | UART.LineControl.evenParity
        case .mark: bits |= UART.LineControl.parity | UART.LineControl.stickParity
        case .space:
            bits |= UART.LineControl.parity | UART.LineControl.stickParity | UART.LineControl.evenParity
        }
        return bits
    }
}

extension SerialPort {
    /// Sets speed and format. Task context.
    public func setLine(_ line: SerialLine) {
        unsafe state.pointee.usesClearToSend.store(line.usesClearToSend, ordering: .relaxed)
        UART.lock.withLockInterruptsOff { _, _ in
            uart.lineControl.write8(line.control)
            uart.setSpeed(line.baud)
        }
    }

    /// Lets the chip interrupt: bytes flow from now on. After its handler is in place.
    func switchOn() {
        UART.lock.withLockInterruptsOff { _, _ in
            if model == .i16550A { uart.identification.write8(Self.fifoSetting) }
            uart.modemControl.write8(
                UART.ModemControl.dataTerminalReady | UART.ModemControl.requestToSend
                    | UART.ModemControl.out2)
            _ = uart.lineStatus.read8()
            _ = uart.modemStatus.read8()
            unsafe state.pointee.interruptEnable =
                UART.InterruptEnable.received | UART.InterruptEnable.lineStatus
                | UART.InterruptEnable.modemStatus
            uart.interruptEnable.write8(unsafe state.pointee.interruptEnable)
        }
    }

    /// Modem lines as TIOCM_* numbers them: DTR 2, RTS 4, CTS 0x20, CD 0x40, RI 0x80, DSR 0x100.
    public var modemLines: UInt32 {
        let outputs = uart.modemControl.read8()
        let inputs = uart.modemStatus.read8()
        var lines: UInt32 = 0
        if outputs & UART.ModemControl.dataTerminalReady != 0 { lines |= 0x2 }
        if outputs & UART.ModemControl.requestToSend != 0 { lines |= 0x4 }
        if outputs & UART.ModemControl.out1 != 0 { lines |= 0x2000 }
        if outputs & UART.ModemControl.out2 != 0 { lines |= 0x4000 }
        if outputs & UART.ModemControl.loopback != 0 { lines |= 0x8000 }
        if inputs & UART.ModemStatus.clearToSend != 0 { lines |= 0x20 }
        if inputs & UART.ModemStatus.carrierDetect != 0 { lines |= 0x40 }
        if inputs & UART.ModemStatus.ringIndicator != 0 { lines |= 0x80 }
        if inputs & UART.ModemStatus.dataSetReady != 0 { lines |= 0x100 }
        return lines
    }

    /// Sets data-terminal-ready and request-to-send from TIOCM_* bits; the interrupt stays connected.
    public func setModemLines(_ lines: UInt32) {
        var outputs = UART.ModemControl.out2
        if lines & 0x2 != 0 { outputs |= UART.ModemControl.dataTerminalReady }
        if lines & 0x4 != 0 { outputs |= UART.ModemControl.requestToSend }
        UART.lock.withLockInterruptsOff { _, _ in uart.modemControl.write8(outputs) }
    }

    /// Begins or ends a break.
    public func setBreak(_ on: Bool) {
        UART.lock.withLockInterruptsOff { _, _ in
            let control = uart.lineControl.read8()
            let bit = UART.LineControl.sendBreak
            uart.lineControl.write8(on ? control | bit : control & ~bit)
        }
    }
}
