// The keyboard controller of a PC (Intel 8042 and what imitates it): two ports of the PS/2 kind behind one data
// register, the keyboard's on line 1 and the mouse's on line 12.
//
// The status says whose byte lies in the data register, so whoever reads both holds a lock (`PS2`). Every wait has an
// end, also where there is no such controller and every read gives ones.

import Machine
import Primitives

/// The controller's registers. Each function tells the context it needs.
struct I8042: Sendable {
    @inline(__always) init() {}

    @inline(__always) var data: Port { Port(0x60) }
    /// Status when read, command when written.
    @inline(__always) var control: Port { Port(0x64) }

    enum Status {
        /// A byte lies in the data register.
        static let outputFull: UInt8 = 1
        /// The controller has not taken the last byte written.
        static let inputFull: UInt8 = 2
        /// The byte is the mouse port's.
        static let fromMouse: UInt8 = 0x20
        /// The device did not answer in time; the byte was damaged.
        static let timeout: UInt8 = 0x40
        static let parityError: UInt8 = 0x80
    }

    enum Command: UInt8 {
        case readConfiguration = 0x20
        case writeConfiguration = 0x60
        case disableMouse = 0xa7
        case enableMouse = 0xa8
        case testMousePort = 0xa9
        case testController = 0xaa
        case testKeyboardPort = 0xab
        case disableKeyboard = 0xad
        case enableKeyboard = 0xae
        /// The next byte goes to the mouse.
        case writeToMouse = 0xd4
    }

    /// Bits of the configuration byte.
    enum Configuration {
        static let keyboardInterrupt: UInt8 = 1
        static let mouseInterrupt: UInt8 = 2
        static let keyboardDisabled: UInt8 = 0x10
        static let mouseDisabled: UInt8 = 0x20
        /// Scan codes of set 2 become those of set 1.
        static let translates: UInt8 = 0x40
    }

    enum Answer {
        static let controllerPassed: UInt8 = 0x55
        static let portPassed: UInt8 = 0
    }

    /// The two ports.
    enum Channel: Sendable {
        case keyboard
        case mouse
    }

    private static let step = 10
    /// Microseconds for the controller to take a byte, and to answer a command.
    private static let acceptTime = 50_000
    static let answerTime = 200_000

    /// Whether something answers at all: a port without a device reads as all ones.
    var isPresent: Bool { control.read8() != 0xff }

    /// Waits until a byte can be written; false if the controller never takes the last one. Polls.
    private func waitUntilWritable() -> Bool {
        for _ in 0..<Self.acceptTime / Self.step {
            if control.read8() & Status.inputFull == 0 { return true }
            Delay.microseconds(Self.step)
        }
        return false
    }

    /// The next byte and whose it is, waiting up to `limit` microseconds. Polls.
    func receive(within limit: Int = answerTime) -> (byte: UInt8, channel: Channel)? {
        for _ in 0..<max(limit / Self.step, 1) {
            let status = control.read8()
            if status & Status.outputFull != 0 {
                return (data.read8(), status & Status.fromMouse != 0 ? .mouse : .keyboard)
            }
            Delay.microseconds(Self.step)
        }
        return nil
    }

    /// Drops what lies in the data register, and what comes behind it; false if it never ends. A device's queue
    /// is no longer than 16 bytes or so.
    @discardableResult
    func flush() -> Bool {
        for _ in 0..<64 {
            guard control.read8() & Status.outputFull != 0 else { return true }
            _ = data.read8()
            Delay.microseconds(50)
        }
        return false
    }

    func command(_ command: Command) -> Bool {
        guard waitUntilWritable() else { return false }
        control.write8(command.rawValue)
        return true
    }

    /// A command with an answer of one byte.
    func ask(_ question: Command) -> UInt8? {
        guard command(question) else { return nil }
        return receive()?.byte
    }

    func setConfiguration(_ value: UInt8) -> Bool {
        guard command(.writeConfiguration), waitUntilWritable() else { return false }
        data.write8(value)
        return true
    }

    /// Sends a byte to a device.
    func send(_ byte: UInt8, to channel: Channel) -> Bool {
        if channel == .mouse {
            guard command(.writeToMouse) else { return false }
        }
        guard waitUntilWritable() else { return false }
        data.write8(byte)
        return true
    }
}
