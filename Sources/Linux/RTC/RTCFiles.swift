// /dev/rtc0: the battery clock, its alarm and its interrupts (rtc(4)). One program at a time has it open.

import Devices
import Machine
import Memory
import Primitives
import Synchronization
import Tasks

enum RTCFiles {
    /// Linux gives it a number at boot; it has no fixed one.
    private static let device = DeviceNumber(major: 252, minor: 0)

    /// Registers the device if there is one. Boot only.
    static func register() {
        guard RTC.isPresent else { return }
        DeviceRegistry.register(.characterDevice, device, name: "rtc0", permissions: 0o600, RTCDriver())
    }
}

private final class RTCDriver: DeviceDriver, @unchecked Sendable {
    override func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        if RTCFile.isOpen.exchange(true, ordering: .acquiringAndReleasing) { throw .busy }
        return RTCFile(inode, path, flags)
    }
}

/// The open clock.
final class RTCFile: File, @unchecked Sendable {
    fileprivate static let isOpen = Atomic<Bool>(false)

    deinit {
        // Those that come again and again were this program's; the alarm stays.
        RTC.switchOff([.update, .periodic])
        _ = RTC.takeEvents()
        Self.isOpen.store(false, ordering: .releasing)
    }

    override var isSeekable: Bool { false }

    /// Waits for an interrupt: the flags of those that came, and how many, times 256.
    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard buffer.remaining == 4 || buffer.remaining >= 8 else { throw .invalid }
        let events: UInt64
        if let now = RTC.takeEvents() {
            events = now
        } else {
            if isNonBlocking { throw .tryAgain }
            events = try RTC.withReaders { (queue) throws(Errno) in
                try queue.wait(task) { () throws(Errno) -> UInt64? in RTC.takeEvents() }
            }
        }
        let count = buffer.remaining == 4 ? 4 : 8
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: events >> UInt64($0 * 8)) }
        return try buffer.put(bytes.span, task)
    }

    override func poll(_ table: PollTable?) -> PollEvents {
        RTC.withReaders { queue in table?.register(queue, of: self) }
        return RTC.hasEvents ? .readable : []
    }

    override func ioctl(_ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    { try answer(command, argument, task) }
}
