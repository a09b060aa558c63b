// An open /dev/input/eventN: a reader of a device's events, as `struct input_event` (linux/input.h).

import Devices
import Memory
import Primitives
import Synchronization
import Tasks
import Time

final class EventFile: File, @unchecked Sendable {
    /// Seconds, microseconds, type, code, value.
    static let eventSize = 24
    /// Events made ready at once.
    private static let batch = 64

    /// Which clock stamps the events.
    enum Stamp: UInt32 {
        case realtime = 0
        case monotonic = 1
        case boot = 7
    }

    let device: InputDevice
    let reader = InputDevice.newReader()
    /// Next event. Task context; taken before the device's log.
    let place: SpinLock<UInt64>
    let stamp = Atomic<UInt32>(0)
    /// EVIOCREVOKE: nothing works any more.
    let isRevoked = Atomic<Bool>(false)

    init(_ device: InputDevice, _ inode: Inode, _ path: Path?, _ flags: OpenFlags) {
        self.device = device
        place = SpinLock(device.end)
        super.init(inode, path, flags)
        device.noteOpen(1)
    }

    deinit {
        device.noteOpen(-1)
        device.release(reader)
    }

    override var isSeekable: Bool { false }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        if isRevoked.load(ordering: .relaxed) { throw .noDevice }
        if buffer.remaining == 0 { return 0 }
        guard buffer.remaining >= Self.eventSize else { throw .invalid }
        let limit = min(buffer.remaining / Self.eventSize, Self.batch)
        var events = take(limit)
        if events.isEmpty {
            if isNonBlocking { throw .tryAgain }
            events = try device.withReaders { (queue) throws(Errno) in
                try queue.wait(task) { () throws(Errno) -> [InputEvent]? in
                    if isRevoked.load(ordering: .relaxed) { throw .noDevice }
                    let found = take(limit)
                    return found.isEmpty ? nil : found
                }
            }
        }
        return try buffer.put(encode(events).span, task)
    }

    /// Up to `limit` events that wait.
    private func take(_ limit: Int) -> [InputEvent] {
        var events: [InputEvent] = []
        events.reserveCapacity(limit)
        place.withLock { place in
            while events.count < limit, let event = device.next(&place, for: reader) { events.append(event) }
        }
        return events
    }

    private func encode(_ events: [InputEvent]) -> [UInt8] {
        let stamp = Stamp(rawValue: stamp.load(ordering: .relaxed)) ?? .realtime
        // The wall clock as it is now.
        let offset = stamp == .realtime ? Clock.bootTime : 0
        var bytes: [UInt8] = []
        bytes.reserveCapacity(events.count * Self.eventSize)
        func put(_ value: UInt64, _ count: Int) {
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8))) }
        }
        for event in events {
            let time = event.time &+ offset
            put(time / 1_000_000_000, 8)
            put(time % 1_000_000_000 / 1000, 8)
            put(UInt64(event.type), 2)
            put(UInt64(event.code), 2)
            put(UInt64(truncatingIfNeeded: event.value), 4)
        }
        return bytes
    }

    /// Programs may write events; none of the devices has anything that they could set.
    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard buffer.remaining >= Self.eventSize else { throw .invalid }
        return buffer.remaining / Self.eventSize * Self.eventSize
    }

    override func ioctl(_ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    { try answer(command, argument, task) }

    override func poll(_ table: PollTable?) -> PollEvents {
        device.withReaders { queue in table?.register(queue, of: self) }
        if isRevoked.load(ordering: .relaxed) { return [.error, .hangUp] }
        let hasNews = place.withLock { device.hasNews($0, for: reader) }
        return hasNews ? [.readable, .writable] : .writable
    }
}
