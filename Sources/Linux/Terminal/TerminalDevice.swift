// What a terminal asks of the device behind it: a serial port, the other end of a pseudo-terminal.

import Primitives

/// Base of the devices that terminals are made on. `room`, `put` and `start` are called with the
/// terminal's lock held, the others without, all in task context.
class TerminalDevice: @unchecked Sendable {
    /// Bytes the device takes now.
    var room: Int { 0 }

    /// Hands over a byte; there is room.
    func put(_ byte: UInt8) {}

    /// Gets what was handed over on its way.
    func start() {}

    /// Bytes handed over that have not left yet.
    var pendingOutput: Int { 0 }

    /// Everything has left, to the last bit.
    var isIdle: Bool { true }

    /// Holds the output back, or lets it go on.
    func setStopped(_ stopped: Bool) {}

    /// Drops what has not left yet.
    func flushOutput() {}

    /// Sends a byte before all others, even while stopped.
    func sendUrgently(_ byte: UInt8) {}

    /// Asks the sender to pause, or to go on, by other means than a byte (request to send).
    func setReceiving(_ receiving: Bool) {}

    /// There is room for input again that the terminal would not take.
    func inputMayContinue() {}

    /// Takes over speed and format, in words of `control`, from what it can of `settings`; changes in
    /// `settings` what it cannot do.
    func apply(_ settings: inout Termios, was: Termios) {}

    /// The terminal was opened for the first time, or closed for the last.
    func opened() {}
    func closed(_ settings: Termios) {}

    /// Drops the line (hang-up).
    func hangUp() {}

    /// Begins or ends a break.
    func setBreak(_ on: Bool) {}

    /// Modem lines as TIOCM_* numbers them; throws where there are none.
    func modemLines() throws(Errno) -> UInt32 { throw .notTerminal }
    func setModemLines(_ lines: UInt32) throws(Errno) { throw .notTerminal }

    /// Requests that only this kind of device knows; nil for all others.
    func ioctl(
        _ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext
    ) throws(Errno) -> Int? { nil }
}
