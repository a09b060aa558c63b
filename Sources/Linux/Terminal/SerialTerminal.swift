// A terminal on a serial port, and what the port's work carries from the one to the other.

import Devices
import Memory
import Primitives
import Tasks

/// The port as a terminal sees it.
final class SerialDevice: TerminalDevice, @unchecked Sendable {
    let port: SerialPort

    init(_ port: SerialPort) { self.port = port }

    override var room: Int { port.transmitRoom }
    override func put(_ byte: UInt8) { _ = port.put(byte) }
    override func start() { port.startTransmitting() }
    override var pendingOutput: Int { port.transmitCount }
    override var isIdle: Bool { port.isTransmitterIdle }
    override func setStopped(_ stopped: Bool) { port.setStopped(stopped) }
    override func flushOutput() { port.flushTransmit() }
    override func sendUrgently(_ byte: UInt8) { port.sendUrgently(byte) }
    override func setBreak(_ on: Bool) { port.setBreak(on) }
    override func inputMayContinue() { port.notify(.requested) }
    override func modemLines() throws(Errno) -> UInt32 { port.modemLines }
    override func setModemLines(_ lines: UInt32) throws(Errno) { port.setModemLines(lines) }

    override func setReceiving(_ receiving: Bool) {
        guard port.usesClearToSend else { return }
        let ready: UInt32 = 0x2
        port.setModemLines(receiving ? ready | 0x4 : ready)
    }

    override func hangUp() { port.setModemLines(0) }

    override func opened() { port.setModemLines(0x6) }

    override func closed(_ settings: Termios) {
        // The console's other end would take it for the machine's end.
        if settings.control & Termios.Control.hangupOnClose != 0,
            settings.control & Termios.Control.local == 0
        {
            port.setModemLines(0)
        }
    }

    override func apply(_ settings: inout Termios, was: Termios) {
        // B0 means: hang up. The speed itself stays.
        let hangsUp = settings.outputSpeed == 0
        if hangsUp != (was.outputSpeed == 0) { port.setModemLines(hangsUp ? 0 : 0x6) }
        let new = SerialLine(settings)
        if !hangsUp, new != SerialLine(was) { port.setLine(new) }
    }

    override func ioctl(
        _ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int? {
        switch command {
        case TerminalRequest.getSerial:
            try UserMemory.copyOut(serialDescription.span, to: argument, task)
            return 0
        case TerminalRequest.setSerial:
            // What could be changed is fixed on a PC.
            guard LinuxTask.current.credentials.has(.administration) else { throw .notPermitted }
            return 0
        case TerminalRequest.getCounts:
            try UserMemory.copyOut(counts.span, to: argument, task)
            return 0
        default: return nil
        }
    }

    /// `struct serial_struct` of linux/serial.h, 72 bytes.
    private var serialDescription: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 72)
        func put(_ value: UInt32, at offset: Int, bytes count: Int) {
            for index in 0..<count {
                bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8))
            }
        }
        put(UInt32(port.model.rawValue), at: 0, bytes: 4)
        put(UInt32(port.index), at: 4, bytes: 4)
        put(UInt32(port.uart.base), at: 8, bytes: 4)
        put(UInt32(port.interruptLine), at: 12, bytes: 4)
        put(UInt32(port.model.transmitFIFO), at: 20, bytes: 4)
        put(UART.baseBaud, at: 28, bytes: 4)
        put(50, at: 32, bytes: 2)
        put(3000, at: 44, bytes: 2)
        return bytes
    }

    /// `struct serial_icounter_struct`, 80 bytes: cts, dsr, rng, dcd, rx, tx, frame, overrun, parity, brk, buf_overrun.
    private var counts: [UInt8] {
        let statistics = port.statistics
        let words = [
            0, 0, 0, 0, statistics.received, statistics.transmitted, statistics.framingErrors,
            statistics.overruns, statistics.parityErrors, statistics.breaks, statistics.bufferOverruns,
        ]
        var bytes = [UInt8](repeating: 0, count: 80)
        for (place, word) in words.enumerated() {
            for index in 0..<4 {
                bytes[place * 4 + index] = UInt8(truncatingIfNeeded: word >> UInt32(index * 8))
            }
        }
        return bytes
    }
}

extension SerialLine {
    /// What settings ask of a line.
    init(_ settings: Termios) {
        self.init()
        let control = settings.control
        baud = settings.outputSpeed
        dataBits = UInt8(truncatingIfNeeded: control >> 4 & 3) + 5
        hasTwoStopBits = control & Termios.Control.twoStopBits != 0
        usesClearToSend = control & Termios.Control.hardwareFlow != 0
        guard control & Termios.Control.parity != 0 else { return }
        let isOdd = control & Termios.Control.oddParity != 0
        if control & Termios.Control.stickParity != 0 {
            parity = isOdd ? .mark : .space
        } else {
            parity = isOdd ? .odd : .even
        }
    }
}

extension Terminal {
    /// Makes the terminal of a serial port. Boot only; `Terminals` lets it have the port's events.
    static func make(on port: SerialPort, baud: UInt32) -> Terminal {
        var settings = Termios()
        settings.setSpeed(baud)
        settings.control |= Termios.Control.local
        let name = Text("ttyS\(port.index)").bytes
        let number = DeviceNumber(major: 4, minor: 64 + UInt32(port.index))
        let terminal = Terminal(name: name, number: number, device: SerialDevice(port), settings: settings)
        port.setLine(SerialLine(settings))
        return terminal
    }

    /// What happened at the port of this terminal: called by the port's work.
    func serve(_ port: SerialPort, _ events: SerialEvents) {
        if !events.isDisjoint(with: [.received, .requested]) { acceptInput(from: port) }
        if events.contains(.transmitted) { outputMayContinue() }
        if events.contains(.modemStatus) { carrierMayHaveChanged(port) }
    }

    private func acceptInput(from port: SerialPort) {
        acceptInput(
            peek: {
                guard let next = port.nextReceived() else { return nil }
                return Received(
                    byte: next.byte,
                    condition: LineDiscipline.Condition(rawValue: next.condition.rawValue) ?? .normal)
            },
            drop: { _ = port.takeReceived() })
    }

    /// A line that is not local hangs up when its carrier goes.
    private func carrierMayHaveChanged(_ port: SerialPort) {
        let isLocal = settings.control & Termios.Control.local != 0
        if !isLocal, port.modemLines & 0x40 == 0, state.withLock({ $0.openCount > 0 }) { hangUp() }
    }
}
