// The virtio block device, read only (Virtual I/O Device specification 1.1, 5.2).

import Machine
import Memory
import Primitives
import Tasks

/// A disk. Any number of threads may read; their requests take turns.
public final class VirtioBlock: Sendable {
    public static let sectorSize = 512
    /// Frames in one request.
    public static let maximumFrames = 32

    private let requests: VirtioRequests
    /// Sectors of 512 bytes.
    public let sectorCount: UInt64
    /// Header, data and status are in one frame: the header at its start, the status byte behind it.
    private let header: Frame
    private let mutex = RawMutex()

    private static let statusOffset: UInt64 = 64
    private static let readRequest: UInt32 = 0
    private static let successful: UInt8 = 0

    init?(_ pci: PCIDevice) {
        guard let device = VirtioDevice(pci, name: "virtio-blk"),
            let requests = VirtioRequests(device, name: "virtio-blk"), let header = Frames.allocateZeroed()
        else { return nil }
        self.requests = requests
        self.header = header
        let low = UInt64(device.configuration.read32(0))
        sectorCount = low | UInt64(device.configuration.read32(4)) << 32
    }

    /// Reads from `sector` on into the frames, all of each. `.inputOutput` when the disk fails or ends before.
    public func read(_ sector: UInt64, into frames: Span<Frame>, _ task: borrowing TaskContext) throws(Errno)
    {
        let sectors = UInt64(frames.count) * 8
        let (end, overflow) = sector.addingReportingOverflow(sectors)
        guard frames.count > 0, frames.count <= Self.maximumFrames, !overflow, end <= sectorCount else {
            throw .inputOutput
        }
        mutex.lock(task)
        defer { mutex.unlock() }
        let place = unsafe UnsafeMutableRawPointer(header.pointer)
        // The frame is this driver's own, and the mutex is held.
        unsafe place.storeBytes(of: Self.readRequest, as: UInt32.self)
        unsafe (place + 8).storeBytes(of: sector, as: UInt64.self)
        unsafe (place + Int(Self.statusOffset)).storeBytes(of: 0xff, as: UInt8.self)
        var buffers = [VirtQueue.Buffer(address: header.address.value, count: 16, isWritable: false)]
        for index in frames.indices {
            buffers.append(
                VirtQueue.Buffer(address: frames[index].address.value, count: 4096, isWritable: true))
        }
        buffers.append(
            VirtQueue.Buffer(address: header.address.value + Self.statusOffset, count: 1, isWritable: true))
        _ = try requests.run(buffers.span, task)
        let status = unsafe (place + Int(Self.statusOffset)).load(as: UInt8.self)
        if status != Self.successful { throw .inputOutput }
    }
}
