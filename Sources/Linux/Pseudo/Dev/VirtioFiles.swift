// The files of virtio devices: /dev/vda and its like, and /dev/hwrng.

import Devices
import Machine
import Memory
import Primitives
import Tasks

enum VirtioFiles {
    /// Linux gives the first block driver without a number of its own this one.
    private static let diskMajor: UInt32 = 254
    /// Miscellaneous devices, and the number of the hardware's random numbers among them.
    private static let entropy = DeviceNumber(major: 10, minor: 183)

    /// Registers what there is. Boot only, once the devices are set up.
    static func register() {
        for (index, disk) in unsafe Virtio.disks.enumerated() where index < 26 {
            let device = DeviceNumber(major: diskMajor, minor: UInt32(index) * 16)
            DeviceRegistry.register(.blockDevice, device, DiskDriver(disk))
            let name = Text("vd").bytes + [97 + UInt8(index)]
            DeviceRegistry.addNode(name, .blockDevice, device, permissions: 0o660)
        }
        if let source = unsafe Virtio.entropySources.first {
            DeviceRegistry.register(
                .characterDevice, entropy, name: "hwrng", permissions: 0o600, EntropyDriver(source))
        }
    }
}

private final class DiskDriver: DeviceDriver, @unchecked Sendable {
    private let disk: VirtioBlock
    init(_ disk: VirtioBlock) { self.disk = disk }

    override func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File {
        let file = DiskFile(disk, inode, path, flags)
        // The disk is read only.
        if file.isWritable { throw .notPermitted }
        return file
    }
}

/// An open disk: reads go to the device, sixteen frames at a time.
private final class DiskFile: File, @unchecked Sendable {
    private static let frameCount = 16
    private let disk: VirtioBlock

    init(_ disk: VirtioBlock, _ inode: Inode, _ path: Path?, _ flags: OpenFlags) {
        self.disk = disk
        super.init(inode, path, flags)
    }

    private var size: Int { Int(truncatingIfNeeded: disk.sectorCount) * VirtioBlock.sectorSize }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        let frames = try DiskFrames.make(Self.frameCount)
        var done = 0
        while buffer.remaining > 0, position < size {
            let moved = readPiece(frames, at: position, &buffer, task)
            if moved <= 0 {
                if done == 0, moved < 0 { throw Errno(Int32(truncatingIfNeeded: -moved)) }
                break
            }
            position += moved
            done += moved
        }
        return done
    }

    /// Reads the frames that `position` and what follows lie in, as many as fit; returns the bytes handed over, or the
    /// number of an error below zero.
    @inline(never)
    private func readPiece(
        _ frames: DiskFrames, at position: Int, _ buffer: inout IOBuffer, _ task: borrowing TaskContext
    ) -> Int {
        let start = position & ~4095
        let wanted = (position - start + buffer.remaining + 4095) / 4096
        // A last piece of less than a frame is out of reach.
        let count = min(wanted, (size - start) / 4096, frames.frames.count)
        guard count > 0 else { return 0 }
        let list = frames.frames
        do throws(Errno) {
            try disk.read(UInt64(start / 512), into: list.span.extracting(0..<count), task)
            return try put(frames, from: position - start, bytes: count * 4096, &buffer, task)
        } catch { return -Int(error.code) }
    }

    @inline(never)
    private func put(
        _ frames: DiskFrames, from offset: Int, bytes: Int, _ buffer: inout IOBuffer,
        _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var place = offset
        while place < bytes, buffer.remaining > 0 {
            let frame = frames.frames[place / 4096]
            let count = min(4096 - place % 4096, buffer.remaining)
            let moved = try buffer.put(frame, place % 4096, count, task)
            place += moved
            if moved < count { break }
        }
        return place - offset
    }

    override func seek(
        _ offset: Int, _ origin: SeekOrigin, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        guard case .end = origin else { return try super.seek(offset, origin, task) }
        let (target, overflow) = size.addingReportingOverflow(offset)
        guard !overflow, target >= 0 else { throw .invalid }
        position = target
        return target
    }

    private enum Request {
        static let size64: UInt32 = 0x8008_1272
        static let size: UInt32 = 0x1260
        static let sectorSize: UInt32 = 0x1268
        static let isReadOnly: UInt32 = 0x125e
    }

    override func ioctl(_ command: UInt32, _ argument: UInt, _ task: borrowing TaskContext) throws(Errno)
        -> Int
    {
        switch command {
        case Request.size64: try UserPointer<UInt64>(argument).store(UInt64(size), task)
        case Request.size: try UserPointer<UInt64>(argument).store(disk.sectorCount, task)
        case Request.sectorSize: try UserPointer<UInt32>(argument).store(512, task)
        case Request.isReadOnly: try UserPointer<UInt32>(argument).store(1, task)
        default: throw .notTerminal
        }
        return 0
    }
}

/// Frames to read into, given back when done.
private final class DiskFrames {
    let frames: [Frame]

    private init(_ frames: [Frame]) { self.frames = frames }

    static func make(_ count: Int) throws(Errno) -> DiskFrames {
        var frames: [Frame] = []
        while frames.count < count, let frame = Frames.allocate(use: .user) { frames.append(frame) }
        if frames.isEmpty { throw .noMemory }
        return DiskFrames(frames)
    }

    deinit { for frame in frames { Frames.free(frame) } }
}

private final class EntropyDriver: DeviceDriver, @unchecked Sendable {
    private let source: VirtioEntropy
    init(_ source: VirtioEntropy) { self.source = source }

    override func open(
        _ inode: Inode, _ path: Path?, _ flags: OpenFlags, _ task: borrowing TaskContext
    ) throws(Errno) -> File { EntropyFile(source, inode, path, flags) }
}

/// An open /dev/hwrng.
private final class EntropyFile: File, @unchecked Sendable {
    private let source: VirtioEntropy

    init(_ source: VirtioEntropy, _ inode: Inode, _ path: Path?, _ flags: OpenFlags) {
        self.source = source
        super.init(inode, path, flags)
    }

    override var isSeekable: Bool { false }

    override func read(
        into buffer: inout IOBuffer, at position: inout Int, _ task: borrowing TaskContext
    ) throws(Errno) -> Int {
        var done = 0
        while buffer.remaining > 0 {
            do throws(Errno) {
                let bytes = try source.bytes(buffer.remaining, task)
                let put = try buffer.put(bytes.span, task)
                done += put
                if put < bytes.count || Thread.current.flags.contains(.signalPending) { break }
            } catch {
                if done == 0 { throw error }
                break
            }
        }
        return done
    }
}
