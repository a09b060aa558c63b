// Talking to a keyboard or mouse before its interrupts are on: each byte sent is acknowledged.
//
// IBM Personal System/2 Hardware Interface Technical Reference (1988), "Keyboard" and "Mouse".

import Machine
import Primitives

/// A device on a port of the controller, polled.
struct PS2Device {
    let controller: I8042
    let channel: I8042.Channel

    private enum Answer {
        static let acknowledge: UInt8 = 0xfa
        static let resend: UInt8 = 0xfe
        static let selfTestPassed: UInt8 = 0xaa
    }

    enum Command {
        static let setLEDs: UInt8 = 0xed
        static let identify: UInt8 = 0xf2
        static let setRate: UInt8 = 0xf3
        static let enable: UInt8 = 0xf4
        static let disable: UInt8 = 0xf5
        static let setResolution: UInt8 = 0xe8
        static let setScaling1: UInt8 = 0xe6
        static let reset: UInt8 = 0xff
    }

    /// Self tests take half a second in real devices.
    private static let resetTime = 1_000_000

    /// The device's next byte; bytes of the other one are dropped.
    func receive(within limit: Int = I8042.answerTime) -> UInt8? {
        for _ in 0..<16 {
            guard let (byte, from) = controller.receive(within: limit) else { return nil }
            if from == channel { return byte }
        }
        return nil
    }

    /// Sends a byte until it is acknowledged, three times at most.
    func send(_ byte: UInt8) -> Bool {
        for _ in 0..<3 {
            guard controller.send(byte, to: channel) else { return false }
            // What it had to say before comes before the answer.
            for _ in 0..<16 {
                guard let answer = receive() else { return false }
                if answer == Answer.acknowledge { return true }
                if answer == Answer.resend { break }
            }
        }
        return false
    }

    func send(_ byte: UInt8, _ argument: UInt8) -> Bool { send(byte) && send(argument) }

    /// Resets it; whether its self test passed. A mouse tells its identifier behind that, which is taken too.
    func reset() -> Bool {
        guard send(Command.reset), receive(within: Self.resetTime) == Answer.selfTestPassed else {
            return false
        }
        if channel == .mouse { _ = receive() }
        return true
    }

    /// The first byte of its identifier; nil if it tells none.
    func identify() -> UInt8? {
        guard send(Command.identify) else { return nil }
        let first = receive()
        // A keyboard has a second byte.
        if first == 0xab { _ = receive() }
        return first
    }
}
