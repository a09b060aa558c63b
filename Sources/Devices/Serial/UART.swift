// The registers of an 8250-family serial chip, one register access a function.
//
// National Semiconductor PC16550D data sheet (1995), table II. Registers 0 and 1 are the divisor while
// bit 7 of the line control register is set, so whoever changes the speed holds the port's lock.

import Machine
import Primitives

/// A chip at eight consecutive I/O ports. Any context; each function is one access.
public struct UART: Equatable, Sendable {
    public let base: UInt16

    @inline(__always) public init(base: UInt16) { self.base = base }

    /// Guards every chip's transmitter, divisor latch and interrupt enable register. Innermost; interrupts off.
    static let lock = SpinLock(())

    @inline(__always) private func register(_ number: UInt16) -> Port { Port(base &+ number) }

    /// Receiver buffer when read, transmitter holding register when written.
    @inline(__always) public var data: Port { register(0) }
    @inline(__always) public var interruptEnable: Port { register(1) }
    /// Interrupt identification when read, FIFO control when written.
    @inline(__always) public var identification: Port { register(2) }
    @inline(__always) public var lineControl: Port { register(3) }
    @inline(__always) public var modemControl: Port { register(4) }
    @inline(__always) public var lineStatus: Port { register(5) }
    @inline(__always) public var modemStatus: Port { register(6) }
    @inline(__always) public var scratch: Port { register(7) }

    /// Bits of the interrupt enable register.
    public enum InterruptEnable {
        public static let received: UInt8 = 1 << 0
        public static let transmitterEmpty: UInt8 = 1 << 1
        public static let lineStatus: UInt8 = 1 << 2
        public static let modemStatus: UInt8 = 1 << 3
    }

    /// Bits of the interrupt identification register.
    public enum Identification {
        public static let nonePending: UInt8 = 1 << 0
        /// Which of the sources it is, the first of those that want something (PC16550D, table 4).
        public static let source: UInt8 = 0b1110
        public static let transmitterEmpty: UInt8 = 0b0010
        public static let fifosWorking: UInt8 = 0b1100_0000
    }

    /// Bits of the FIFO control register.
    public enum FIFOControl {
        public static let enable: UInt8 = 1 << 0
        public static let clearReceiver: UInt8 = 1 << 1
        public static let clearTransmitter: UInt8 = 1 << 2
        /// An interrupt at 8 of 16 bytes, or after four character times of silence.
        public static let trigger8: UInt8 = 0b1000_0000
    }

    /// Bits of the line control register.
    public enum LineControl {
        public static let eightBits: UInt8 = 0b11
        public static let twoStopBits: UInt8 = 1 << 2
        public static let parity: UInt8 = 1 << 3
        public static let evenParity: UInt8 = 1 << 4
        public static let stickParity: UInt8 = 1 << 5
        public static let sendBreak: UInt8 = 1 << 6
        public static let divisorLatch: UInt8 = 1 << 7
    }

    /// Bits of the modem control register.
    public enum ModemControl {
        public static let dataTerminalReady: UInt8 = 1 << 0
        public static let requestToSend: UInt8 = 1 << 1
        public static let out1: UInt8 = 1 << 2
        /// On a PC this pin lets the chip's interrupt through to the interrupt controller.
        public static let out2: UInt8 = 1 << 3
        public static let loopback: UInt8 = 1 << 4
    }

    /// Bits of the line status register.
    public enum LineStatus {
        public static let dataReady: UInt8 = 1 << 0
        public static let overrun: UInt8 = 1 << 1
        public static let parityError: UInt8 = 1 << 2
        public static let framingError: UInt8 = 1 << 3
        public static let breakReceived: UInt8 = 1 << 4
        /// The transmit FIFO (or holding register) takes more.
        public static let holdingEmpty: UInt8 = 1 << 5
        /// Nothing left in the shift register either.
        public static let transmitterIdle: UInt8 = 1 << 6
    }

    /// Bits of the modem status register.
    public enum ModemStatus {
        /// A modem input changed since the last read.
        public static let changed: UInt8 = 0x0f
        public static let clearToSend: UInt8 = 1 << 4
        public static let dataSetReady: UInt8 = 1 << 5
        public static let ringIndicator: UInt8 = 1 << 6
        public static let carrierDetect: UInt8 = 1 << 7
    }

    /// The clock of a PC's chip divided by 16: the divisor for one baud.
    public static let baseBaud: UInt32 = 115_200

    @inline(__always)
    public func status(has bits: UInt8) -> Bool { lineStatus.read8() & bits != 0 }

    /// Sets the speed; `baud` is brought into what the 16-bit divisor can express.
    public func setSpeed(_ baud: UInt32) {
        let divisor = min(max(Self.baseBaud / max(baud, 1), 1), 0xffff)
        let control = lineControl.read8() & ~LineControl.divisorLatch
        lineControl.write8(control | LineControl.divisorLatch)
        data.write8(UInt8(truncatingIfNeeded: divisor))
        interruptEnable.write8(UInt8(truncatingIfNeeded: divisor >> 8))
        lineControl.write8(control)
    }
}
