// The devices that are nothing but memory: null, zero, full, random, urandom (null(4), full(4), random(4)).

import Primitives
import Tasks

/// What one of these devices does.
enum MemoryDeviceKind: UInt32, CaseIterable, Sendable {
    case null = 3
    case zero = 5
    case full = 7
    case random = 8
    case urandom = 9

    /// Major number 1 is theirs; the raw value is the minor number.
    var device: DeviceNumber { DeviceNumber(major: 1, minor: rawValue) }

    var name: StaticString {
        switch self {
        case .null: "null"
        case .zero: "zero"
        case .full: "full"
        case .random: "random"
        case .urandom: "urandom"
        }
    }
}

final class MemoryDeviceDriver: DeviceDriver, @unchecked Sendable {
    private let kind: MemoryDeviceKind

    init(_ kind: MemoryDeviceKind) { self.kind = kind }

    override func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File { MemoryDeviceFile(kind, inode, path, flags) }

    /// Registers all of them. Boot only.
    static func registerAll() {
        for kind in MemoryDeviceKind.allCases {
            DeviceRegistry.register(
                .characterDevice, kind.device, name: kind.name, permissions: 0o666, MemoryDeviceDriver(kind))
        }
    }
}

final class MemoryDeviceFile: File, @unchecked Sendable {
    private let kind: MemoryDeviceKind
    private static let zeros = [UInt8](repeating: 0, count: 4096)

    init(_ kind: MemoryDeviceKind, _ inode: Inode, _ path: Path?, _ flags: OpenFlags) {
        self.kind = kind
        super.init(inode, path, flags)
    }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        switch kind {
        case .null: return 0
        case .zero, .full: return try fill(&buffer, task) { Self.zeros }
        case .random, .urandom: return try fill(&buffer, task) { Self.randomBytes() }
        }
    }

    private static func randomBytes() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 256)
        var span = bytes.mutableSpan
        Randomness.fill(&span)
        return bytes
    }

    /// Fills the buffer piece by piece; a signal ends a long read early.
    private func fill(
        _ buffer: inout IOBuffer, _ task: borrowing TaskContext, _ piece: () -> [UInt8]
    ) throws(Errno) -> Int {
        var done = 0
        while buffer.remaining > 0 {
            let bytes = piece()
            let count = min(bytes.count, buffer.remaining)
            do throws(Errno) {
                let put = try buffer.put(bytes.span.extracting(0..<count), task)
                done += put
                if put < count { break }
            } catch {
                if done == 0 { throw error }
                break
            }
            if done & 0xffff == 0, Thread.current.flags.contains(.signalPending) { break }
        }
        return done
    }

    override func write(
        from buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let count = buffer.remaining
        switch kind {
        case .full:
            if count > 0 { throw .noSpace }
            return 0
        case .null, .zero: return count
        case .random, .urandom: return try mixIn(&buffer, task)
        }
    }

    /// What is written to the random devices makes the numbers no worse.
    private func mixIn(_ buffer: inout IOBuffer, _ task: borrowing TaskContext) throws(Errno) -> Int {
        var done = 0
        while buffer.remaining > 0 {
            var bytes = [UInt8](repeating: 0, count: min(buffer.remaining, 256))
            var span = bytes.mutableSpan
            let count = try buffer.take(into: &span, task)
            Randomness.add(bytes.span.extracting(0..<count))
            done += count
            if count < bytes.count { break }
        }
        return done
    }

    override var mapsAnonymousMemory: Bool { kind == .zero }

    /// Seeking succeeds and means nothing.
    override func seek(
        _ offset: Int, _ origin: SeekOrigin, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        position = 0
        return 0
    }
}
