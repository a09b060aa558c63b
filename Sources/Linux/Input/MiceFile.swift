// An open /dev/input/mice: the movements of all mice as if one PS/2 mouse sat there, for programs that know no other.
//
// Without being asked, it is a mouse with three-byte packets; the rates 200, 100, 80 make it one with a wheel, as with a
// real one (psmouse(4)). What a program writes is answered as a mouse answers.

import Devices
import Memory
import Primitives
import Tasks

final class MiceFile: File, @unchecked Sendable {
    private struct State {
        /// Next event of each mouse.
        var places: [UInt64]
        var imitation = MouseImitation()
    }

    private let mice: [InputDevice]
    private let reader = InputDevice.newReader()
    /// Task context.
    private let state: SpinLock<State>

    override init(_ inode: Inode, _ path: Path?, _ flags: OpenFlags) {
        let mice = InputDevices.mice
        self.mice = mice
        state = SpinLock(State(places: mice.map { $0.end }))
        super.init(inode, path, flags)
    }

    override var isSeekable: Bool { false }

    /// Brings the imitation up to date; whether it has something to say.
    private static func update(_ state: inout State, _ mice: [InputDevice], _ reader: UInt32) -> Bool {
        for (index, mouse) in mice.enumerated() {
            while !state.imitation.isFull, let event = mouse.next(&state.places[index], for: reader) {
                state.imitation.take(event)
            }
        }
        return state.imitation.hasOutput
    }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let limit = buffer.remaining
        var bytes = takeOutput(limit)
        if bytes.isEmpty, limit > 0 {
            if isNonBlocking { throw .tryAgain }
            bytes = try wait(limit, task)
        }
        return bytes.isEmpty ? 0 : try buffer.put(bytes.span, task)
    }

    private func takeOutput(_ limit: Int) -> [UInt8] {
        state.withLock { state in
            Self.update(&state, mice, reader) ? state.imitation.takeOutput(limit) : []
        }
    }

    private func wait(_ limit: Int, _ task: borrowing TaskContext) throws(Errno) -> [UInt8] {
        let attempt = { () throws(Errno) -> [UInt8]? in
            let found = self.takeOutput(limit)
            return found.isEmpty ? nil : found
        }
        // More than one mouse is no PC's: the first one's readers are woken.
        guard let mouse = mice.first else { throw .noDevice }
        return try mouse.withReaders { (queue) throws(Errno) in try queue.wait(task, for: attempt) }
    }

    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var bytes = [UInt8](repeating: 0, count: min(buffer.remaining, 64))
        var span = bytes.mutableSpan
        let count = try buffer.take(into: &span, task)
        state.withLock { state in
            for index in 0..<count { state.imitation.command(bytes[index]) }
        }
        mice.first?.withReaders { $0.wakeAll() }
        return count
    }

    override func poll(_ table: PollTable?) -> PollEvents {
        mice.first?.withReaders { queue in table?.register(queue, of: self) }
        let isReady = state.withLock { Self.update(&$0, mice, reader) }
        return isReady ? [.readable, .writable] : .writable
    }
}

/// A PS/2 mouse made of input events.
struct MouseImitation: Sendable {
    private static let acknowledge: UInt8 = 0xfa
    private static let wheelKnock: [UInt8] = [200, 100, 80]

    private var output: [UInt8] = []
    private var x = 0
    private var y = 0
    private var wheel = 0
    private var buttons: UInt8 = 0
    private var hasWheel = false
    /// The last rates that were set, newest last, and whether the next byte is one.
    private var rates: [UInt8] = []
    private var awaitsArgument: UInt8 = 0

    var hasOutput: Bool { !output.isEmpty }
    /// Enough waits for the program to read.
    var isFull: Bool { output.count >= 256 }

    mutating func takeOutput(_ limit: Int) -> [UInt8] {
        let count = min(limit, output.count)
        let bytes = Array(output[..<count])
        output.removeFirst(count)
        return bytes
    }

    /// Takes an event; the end of a report makes packets.
    mutating func take(_ event: InputEvent) {
        switch event.type {
        case InputEvent.Kind.relative:
            switch event.code {
            case InputEvent.Axis.x: x &+= Int(event.value)
            case InputEvent.Axis.y: y &-= Int(event.value)
            case InputEvent.Axis.wheel: wheel &-= Int(event.value)
            default: break
            }
        case InputEvent.Kind.key: press(event)
        case InputEvent.Kind.synchronize: addPackets()
        default: break
        }
    }

    private mutating func press(_ event: InputEvent) {
        let bit: UInt8
        switch event.code {
        case KeyCode.leftButton: bit = 1
        case KeyCode.rightButton: bit = 2
        case KeyCode.middleButton: bit = 4
        default: return
        }
        buttons = event.value == 0 ? buttons & ~bit : buttons | bit
    }

    /// As many packets as the distance takes.
    private mutating func addPackets() {
        repeat {
            let (dx, dy) = (min(max(x, -127), 127), min(max(y, -127), 127))
            let dz = min(max(wheel, -7), 7)
            (x, y, wheel) = (x - dx, y - dy, hasWheel ? wheel - dz : 0)
            output.append(8 | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0) | buttons)
            output.append(UInt8(truncatingIfNeeded: dx))
            output.append(UInt8(truncatingIfNeeded: dy))
            if hasWheel { output.append(UInt8(truncatingIfNeeded: dz)) }
        } while (x != 0 || y != 0 || wheel != 0) && !isFull
    }

    /// Takes a byte that a program wrote to its mouse.
    mutating func command(_ byte: UInt8) {
        if output.count > 512 { output.removeAll() }
        if awaitsArgument != 0 { return takeArgument(byte) }
        output.append(Self.acknowledge)
        switch byte {
        case 0xf3, 0xe8: awaitsArgument = byte
        case 0xf2: output.append(hasWheel ? 3 : 0)
        case 0xe9: output += [0x60, 3, 100]
        case 0xeb: addPackets()
        case 0xff:
            self = MouseImitation()
            output = [Self.acknowledge, 0xaa, 0]
        default: break
        }
    }

    private mutating func takeArgument(_ byte: UInt8) {
        output.append(Self.acknowledge)
        if awaitsArgument == 0xf3 {
            rates = Array((rates + [byte]).suffix(3))
            if rates == Self.wheelKnock { hasWheel = true }
        }
        awaitsArgument = 0
    }
}
