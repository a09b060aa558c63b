// The virtio entropy device (Virtual I/O Device specification 1.1, 5.4).

import Machine
import Memory
import Primitives
import Tasks

/// A source of random bytes.
public final class VirtioEntropy: Sendable {
    private let requests: VirtioRequests
    private let frame: Frame
    private let mutex = RawMutex()

    init?(_ pci: PCIDevice) {
        guard let device = VirtioDevice(pci, name: "virtio-rng"),
            let requests = VirtioRequests(device, name: "virtio-rng"), let frame = Frames.allocateZeroed()
        else { return nil }
        self.requests = requests
        self.frame = frame
    }

    /// Up to `limit` bytes, 4,096 at most; at least one.
    public func bytes(_ limit: Int, _ task: borrowing TaskContext) throws(Errno) -> [UInt8] {
        mutex.lock(task)
        defer { mutex.unlock() }
        let wanted = UInt32(max(min(limit, 4096), 1))
        let buffers = [VirtQueue.Buffer(address: frame.address.value, count: wanted, isWritable: true)]
        let count = Int(min(try requests.run(buffers.span, task), wanted))
        guard count > 0 else { throw .inputOutput }
        // The device has written so many bytes of this driver's own frame, and the mutex is held.
        let memory = unsafe UnsafeRawBufferPointer(start: frame.pointer, count: count)
        return unsafe [UInt8](memory)
    }
}
