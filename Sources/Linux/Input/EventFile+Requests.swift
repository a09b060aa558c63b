// What programs ask about an input device (linux/input.h, EVIOC*).

import Devices
import Memory
import Primitives
import Synchronization
import Tasks

extension EventFile {
    /// The parts of a request's number: direction, size, letter, number (asm-generic/ioctl.h).
    private struct Request {
        let value: UInt32
        var number: UInt32 { value & 0xff }
        var letter: UInt32 { value >> 8 & 0xff }
        var size: Int { Int(value >> 16 & 0x3fff) }
        var isReading: Bool { value >> 30 == 2 }
    }

    private enum Whole {
        static let version: UInt32 = 0x8004_4501
        static let identity: UInt32 = 0x8008_4502
        static let grab: UInt32 = 0x4004_4590
        static let revoke: UInt32 = 0x4004_4591
        static let setClock: UInt32 = 0x4004_45a0
    }

    /// Requests whose size is that of the caller's buffer.
    private enum Sized {
        static let name: UInt32 = 0x06
        static let place: UInt32 = 0x07
        static let unique: UInt32 = 0x08
        static let properties: UInt32 = 0x09
        static let keysDown: UInt32 = 0x18
        static let lights: UInt32 = 0x19
        static let sounds: UInt32 = 0x1a
        static let switches: UInt32 = 0x1b
        static let bits: ClosedRange<UInt32> = 0x20...0x3f
    }

    /// EV_VERSION
    private static let version: UInt32 = 0x1_0001

    func answer(_ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    {
        if isRevoked.load(ordering: .relaxed) { throw .noDevice }
        switch command {
        case Whole.version: try UserPointer<UInt32>(argument).store(Self.version, task)
        case Whole.identity: try UserMemory.copyOut(identity.span, to: argument, task)
        case Whole.grab: try setGrab(argument != 0)
        case Whole.revoke:
            guard argument == 0 else { throw .invalid }
            isRevoked.store(true, ordering: .relaxed)
            device.release(reader)
            device.withReaders { $0.wakeAll() }
        case Whole.setClock:
            let wanted = try UserPointer<UInt32>(argument).load(task)
            guard Stamp(rawValue: wanted) != nil else { throw .invalid }
            stamp.store(wanted, ordering: .relaxed)
        default: return try sized(Request(value: command), argument, task)
        }
        return 0
    }

    private func setGrab(_ isWanted: Bool) throws(Errno) {
        if isWanted {
            if !device.grab(reader) { throw .busy }
        } else {
            if !device.release(reader) { throw .invalid }
        }
    }

    /// Four numbers of 16 bits.
    private var identity: [UInt8] {
        let id = device.description.identity
        return [id.bus, id.vendor, id.product, id.version].flatMap {
            [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
        }
    }

    private func sized(_ request: Request, _ argument: UInt, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    {
        guard request.letter == 0x45, request.isReading else { throw .invalid }
        let description = device.description
        var answer: [UInt8] = []
        switch request.number {
        case Sized.name: answer = Text(stringLiteral: description.name).bytes + [0]
        case Sized.place: answer = Text(stringLiteral: description.place).bytes + [0]
        case Sized.unique: throw .noSuchFile
        case Sized.properties, Sized.lights, Sized.sounds, Sized.switches: answer = CodeSet().bytes(8)
        case Sized.keysDown: answer = device.keysDown.bytes(96)
        case Sized.bits: answer = try bits(UInt16(truncatingIfNeeded: request.number - 0x20))
        default: throw .invalid
        }
        if answer.count > request.size { answer.removeLast(answer.count - request.size) }
        try UserMemory.copyOut(answer.span, to: argument, task)
        return answer.count
    }

    /// The codes of one type that the device can report; of type 0, the types.
    private func bits(_ type: UInt16) throws(Errno) -> [UInt8] {
        let description = device.description
        switch type {
        case 0: return description.kinds.bytes(8)
        case InputEvent.Kind.key: return description.keys.bytes(96)
        case InputEvent.Kind.relative: return description.axes.bytes(8)
        case InputEvent.Kind.miscellaneous: return description.miscellaneous.bytes(8)
        // Absolute axes, switches, lights, sounds.
        case 3, 5, 0x11, 0x12: return CodeSet().bytes(8)
        // Force feedback.
        case 0x15: return CodeSet().bytes(16)
        default: throw .invalid
        }
    }
}
