// A serial port at work: bytes go through two fixed rings between the interrupt's top half and the
// terminal above. Each half has its bottom half:
//
//   wire → top half → `received` ring → the port's work → the terminal
//   terminal → `transmit` ring → whoever starts it, then the port's tasklet → wire; the top half schedules it
//
// Lock: `UART.lock` guards the chip's interrupt enable register, its divisor latch, its transmitter and the
// consuming side of the `transmit` ring. The receiver belongs to the top half alone. The producing side of
// `transmit` and the consuming side of `received` belong to the terminal, under its own lock.

import Deferred
import Machine
import Primitives
import Synchronization
import Tasks

/// One received byte, and what was wrong with it.
public struct ReceivedByte: BitwiseCopyable, Equatable, Sendable {
    public var byte: UInt8
    public var condition: Condition

    public enum Condition: UInt8, BitwiseCopyable, Sendable {
        case normal = 0
        case breakReceived, parityError, framingError
    }

    @inline(__always)
    public init(_ byte: UInt8, _ condition: Condition = .normal) {
        self.byte = byte
        self.condition = condition
    }
}

/// What the work of a port runs for.
public struct SerialEvents: OptionSet, Sendable {
    public let rawValue: UInt32
    @inline(__always) public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Bytes lie in the receive ring.
    public static let received = SerialEvents(rawValue: 1)
    /// The transmit ring has room again, or is empty.
    public static let transmitted = SerialEvents(rawValue: 2)
    /// A modem line changed.
    public static let modemStatus = SerialEvents(rawValue: 4)
    /// Somebody above wants the work to look.
    public static let requested = SerialEvents(rawValue: 8)
}

/// A port that was found, by reference to storage that is never freed. Trivial to copy.
@safe public struct SerialPort: Equatable, @unchecked Sendable {
    let state: UnsafeMutablePointer<SerialPortState>

    @inline(__always)
    init(_ state: UnsafeMutablePointer<SerialPortState>) { unsafe self.state = unsafe state }

    @inline(__always)
    public static func == (a: SerialPort, b: SerialPort) -> Bool { unsafe a.state == b.state }

    /// A port for a chip that was found; boot only, allocates for ever.
    init(_ uart: UART, model: UARTModel, index: Int, line: UInt8) {
        let state = UnsafeMutablePointer<SerialPortState>.allocate(capacity: 1)
        unsafe state.initialize(to: SerialPortState(uart, model, index: index, line: line))
        unsafe self.init(state)
    }

    /// Number in its name: 0 for ttyS0.
    public var index: Int { unsafe state.pointee.index }
    public var uart: UART { unsafe state.pointee.uart }
    public var model: UARTModel { unsafe state.pointee.model }
    /// ISA interrupt line.
    public var interruptLine: UInt8 { unsafe state.pointee.line }

    /// The next received byte. The port's work asks.
    @inline(__always)
    public func takeReceived() -> ReceivedByte? { unsafe state.pointee.receivedRing.take() }

    /// The next received byte without taking it.
    @inline(__always)
    public func nextReceived() -> ReceivedByte? { unsafe state.pointee.receivedRing.peek() }

    /// CRTSCTS is on.
    public var usesClearToSend: Bool { unsafe state.pointee.usesClearToSend.load(ordering: .relaxed) }

    /// What the port's work calls with the events since the last time; never twice at once.
    public typealias Reader =
        @convention(thin) @Sendable (SerialPort, SerialEvents, borrowing TaskContext) -> Void

    /// Lets `reader` have this port's events, those from before too. Boot only, after the work queues are made.
    public func setReader(_ reader: @escaping Reader) {
        unsafe state.pointee.reader = reader
        unsafe state.pointee.hasReader.store(true, ordering: .sequentiallyConsistent)
        notify([])
    }

    /// The port's work.
    static func handleEvents(_ index: UInt, _ task: borrowing TaskContext) {
        guard let port = Serial.port(Int(truncatingIfNeeded: index)) else { return }
        let events = SerialEvents(
            rawValue: unsafe port.state.pointee.events.exchange(0, ordering: .acquiring))
        if !events.isEmpty { unsafe port.state.pointee.reader?(port, events, task) }
    }

    /// Lets the port's work run. Any context but NMI.
    @_noAllocation @inline(__always)
    public func notify(_ events: SerialEvents) {
        unsafe state.pointee.events.bitwiseOr(events.rawValue, ordering: .sequentiallyConsistent)
        // A work that has begun can be queued, so what comes after it looked is looked for again.
        if unsafe state.pointee.hasReader.load(ordering: .sequentiallyConsistent) {
            WorkQueue.highPriority.queue(unsafe state.pointee.work)
        }
    }

    public var statistics: SerialStatistics {
        var result = SerialStatistics()
        result.received = unsafe state.pointee.counters.received.load(ordering: .relaxed)
        result.transmitted = unsafe state.pointee.counters.transmitted.load(ordering: .relaxed)
        result.framingErrors = unsafe state.pointee.counters.framingErrors.load(ordering: .relaxed)
        result.overruns = unsafe state.pointee.counters.overruns.load(ordering: .relaxed)
        result.parityErrors = unsafe state.pointee.counters.parityErrors.load(ordering: .relaxed)
        result.breaks = unsafe state.pointee.counters.breaks.load(ordering: .relaxed)
        result.bufferOverruns = unsafe state.pointee.counters.bufferOverruns.load(ordering: .relaxed)
        return result
    }
}

/// The storage behind a `SerialPort`.
@safe struct SerialPortState: ~Copyable {
    static let ringSize = 4096

    let uart: UART
    let model: UARTModel
    let index: Int
    let line: UInt8
    /// Where `UART.lock` lies: the top half reaches it without asking whether it has been made.
    let lock: UnsafePointer<SpinLock<Void>>
    /// Producer: the top half. Consumer: the port's work.
    let receivedRing = Ring<ReceivedByte>(capacity: SerialPortState.ringSize, filler: ReceivedByte(0))
    /// Producer: the terminal. Consumer: whoever holds `UART.lock`.
    let transmitRing = Ring<UInt8>(capacity: SerialPortState.ringSize, filler: 0)
    let counters = SerialCounters()
    let events = Atomic<UInt32>(0)
    /// Valid once `hasReader` is set.
    var reader: SerialPort.Reader? = nil
    let hasReader = Atomic<Bool>(false)
    /// Gives events to the reader.
    let work: Work
    /// Fills the chip's transmitter.
    let transmitter: Tasklet
    /// A byte to be sent before all others even while stopped (XON, XOFF): bit 8 set.
    let urgent = Atomic<UInt16>(0)
    /// The terminal stopped the output.
    let isStopped = Atomic<Bool>(false)
    /// The other end's clear-to-send decides whether bytes go out (CRTSCTS).
    let usesClearToSend = Atomic<Bool>(false)
    /// What the interrupt enable register holds. Under `UART.lock`.
    var interruptEnable: UInt8 = 0

    init(_ uart: UART, _ model: UARTModel, index: Int, line: UInt8) {
        self.uart = uart
        self.model = model
        self.index = index
        self.line = line
        work = Work("serial events", word: UInt(index)) { @Sendable task, index in
            SerialPort.handleEvents(index, task)
        }
        transmitter = Tasklet("serial transmit", word: UInt(index)) { @Sendable _, index in
            Serial.port(Int(truncatingIfNeeded: index))?.startTransmitting()
        }
        // A static lock stays where it is for ever.
        unsafe lock = unsafe withUnsafePointer(to: UART.lock) { unsafe $0 }
    }
}
