// An input device between its driver's top half and the programs that read /dev/input/event*.
//
// Events go into one fixed log a device, the oldest overwritten; every reader has a place in it of its own, so that a
// report costs the same however many read, and a reader that is too slow learns that it missed some. What has
// been reported shows once `synchronize` ends the report.
//
// Lock: `log`, from any context but NMI; guards the events, the keys that are down, and who has grabbed the device.

import Machine
import Primitives
import Synchronization
import Tasks
import Time

/// A device by reference to storage that is never freed. Trivial to copy.
@safe public struct InputDevice: Equatable, @unchecked Sendable {
    let state: UnsafeMutablePointer<InputDeviceState>

    /// Makes a device. Boot or task context; allocates for ever.
    public init(_ description: InputDescription) {
        let state = UnsafeMutablePointer<InputDeviceState>.allocate(capacity: 1)
        unsafe state.initialize(to: InputDeviceState(description))
        unsafe self.state = state
    }

    @inline(__always)
    public static func == (a: InputDevice, b: InputDevice) -> Bool { unsafe a.state == b.state }

    public var description: InputDescription { unsafe state.pointee.description }

    // MARK: The driver's side. Any context but NMI.

    /// Adds an event to the report that is being made.
    @_noAllocation
    public func report(_ type: UInt16, _ code: UInt16, _ value: Int32) {
        let event = InputEvent(time: Clock.monotonic, type: type, code: code, value: value)
        unsafe state.pointee.log.withLockInterruptsOff { log, _ in log.append(event) }
    }

    /// Adds a key that goes down (again, if it is down), or up; a key that was up stays silent.
    @_noAllocation
    public func reportKey(_ code: UInt16, isDown: Bool) {
        let now = Clock.monotonic
        unsafe state.pointee.log.withLockInterruptsOff { log, _ in
            let wasDown = log.down.contains(code)
            if !isDown, !wasDown { return }
            if isDown { log.down.insert(code) } else { log.down.remove(code) }
            let value: Int32 = !isDown ? 0 : wasDown ? 2 : 1
            log.append(InputEvent(time: now, type: InputEvent.Kind.key, code: code, value: value))
        }
    }

    /// Whether the key is down.
    @_noAllocation
    public func isDown(_ code: UInt16) -> Bool {
        unsafe state.pointee.log.withLockInterruptsOff { log, _ in log.down.contains(code) }
    }

    /// Ends a report; nothing if it has no events.
    @_noAllocation
    public func synchronize() {
        let now = Clock.monotonic
        let isNews = unsafe state.pointee.log.withLockInterruptsOff { log, _ in
            if log.end == log.shown { return false }
            let type = InputEvent.Kind.synchronize
            log.append(
                InputEvent(time: now, type: type, code: InputEvent.Synchronize.report, value: 0))
            log.shown = log.end
            return true
        }
        if isNews { unsafe state.pointee.readers.wakeAll() }
    }

    // MARK: The readers' side. Task context.

    /// Woken when a report is complete.
    public func withReaders<R, E>(_ body: (borrowing WaitQueue) throws(E) -> R) throws(E) -> R {
        try unsafe body(state.pointee.readers)
    }

    /// Where a new reader begins.
    public var end: UInt64 { unsafe state.pointee.log.withLockInterruptsOff { log, _ in log.shown } }

    /// The next event for `reader` from `position` on, which moves behind it; nil when there is none. A reader that
    /// was overtaken gets `Synchronize.dropped` and goes on at the end.
    public func next(_ position: inout UInt64, for reader: UInt32) -> InputEvent? {
        unsafe state.pointee.log.withLockInterruptsOff { log, _ in log.next(&position, for: reader) }
    }

    /// Whether there is anything to read from `position` on.
    public func hasNews(_ position: UInt64, for reader: UInt32) -> Bool {
        var place = position
        return next(&place, for: reader) != nil
    }

    /// Keys that are down.
    public var keysDown: CodeSet { unsafe state.pointee.log.withLockInterruptsOff { log, _ in log.down } }

    /// Whether a program has the device open.
    public var isOpen: Bool { unsafe state.pointee.openCount.load(ordering: .relaxed) > 0 }

    /// A program has opened it (+1) or closed it (-1).
    public func noteOpen(_ change: Int) {
        unsafe state.pointee.openCount.wrappingAdd(change, ordering: .relaxed)
    }

    /// A number for a reader, never 0.
    public static func newReader() -> UInt32 { nextReader.wrappingAdd(1, ordering: .relaxed).newValue }
    private static let nextReader = Atomic<UInt32>(0)

    /// Gives the reader all events from now on; false if another has them already.
    public func grab(_ reader: UInt32) -> Bool {
        unsafe state.pointee.log.withLockInterruptsOff { log, _ in
            guard log.owner == 0 else { return false }
            log.owner = reader
            return true
        }
    }

    /// Undoes `grab`; false if the reader had not grabbed the device.
    @discardableResult
    public func release(_ reader: UInt32) -> Bool {
        unsafe state.pointee.log.withLockInterruptsOff { log, _ in
            guard log.owner == reader else { return false }
            log.owner = 0
            return true
        }
    }
}

/// The storage behind an `InputDevice`.
@safe struct InputDeviceState: ~Copyable {
    let description: InputDescription
    let log = SpinLock(EventLog())
    let readers = WaitQueue()
    let openCount = Atomic<Int>(0)

    init(_ description: InputDescription) { self.description = description }
}

/// The latest events of a device. Positions count all events there ever were.
@safe struct EventLog: ~Copyable {
    static let capacity: UInt64 = 1024

    private let slots: UnsafeMutablePointer<InputEvent>
    /// Behind the newest event, and behind the newest that readers may see.
    private(set) var end: UInt64 = 0
    var shown: UInt64 = 0
    var down = CodeSet()
    /// The reader that has grabbed the device; 0 for none.
    var owner: UInt32 = 0

    init() {
        unsafe slots = .allocate(capacity: Int(Self.capacity))
        let empty = InputEvent(time: 0, type: 0, code: 0, value: 0)
        unsafe slots.initialize(repeating: empty, count: Int(Self.capacity))
    }

    deinit { unsafe slots.deallocate() }

    @_noAllocation @inline(__always)
    mutating func append(_ event: InputEvent) {
        var event = event
        event.owner = owner
        // Modulo the number of slots.
        unsafe slots[Int(truncatingIfNeeded: end % Self.capacity)] = event
        end &+= 1
    }

    /// See `InputDevice.next`.
    mutating func next(_ position: inout UInt64, for reader: UInt32) -> InputEvent? {
        while position < shown {
            if end - position > Self.capacity {
                position = shown
                return InputEvent(
                    time: Clock.monotonic, type: InputEvent.Kind.synchronize,
                    code: InputEvent.Synchronize.dropped, value: 0)
            }
            let event = unsafe slots[Int(truncatingIfNeeded: position % Self.capacity)]
            position += 1
            if event.owner == 0 || event.owner == reader { return event }
        }
        return nil
    }
}
