// One request at a time to a virtio device, with a thread that waits for the interrupt of its end.

import Interrupts
import Machine
import Memory
import Primitives
import Synchronization
import Tasks
import struct Tasks.Mutex
import Time

/// A device with its queue. A device that does not answer in time is given up for good.
final class VirtioRequests: Sendable {
    private struct State {
        var isBroken = false
    }

    let device: VirtioDevice
    private let queue: VirtQueue
    private let name: StaticString
    /// Held from the request to its end.
    private let state = Tasks.Mutex<State>(State())
    /// Nanoseconds that a device may take.
    private static let patience: UInt64 = 30_000_000_000

    /// Sets the device up; nil when it refuses.
    init?(_ device: VirtioDevice, name: StaticString) {
        guard device.negotiate(), let queue = device.makeQueue() else { return nil }
        self.device = device
        self.queue = queue
        self.name = name
        device.start()
    }

    /// Carries out one chain of buffers; returns the bytes that the device wrote. `.inputOutput` when it does not answer.
    func run(_ buffers: Span<VirtQueue.Buffer>, _ task: borrowing TaskContext) throws(Errno) -> UInt32 {
        try state.withLock(task) { (state) throws(Errno) -> UInt32 in
            if state.isBroken { throw .inputOutput }
            queue.submit(buffers)
            let queue = queue
            let result = try unsafe device.shared.pointee.queue.wait(
                task, interruptible: false, deadline: .after(Self.patience), until: { queue.isIdle })
            guard result == .satisfied else {
                printk(.error, "virtio: \(name) does not answer: given up")
                state.isBroken = true
                throw .inputOutput
            }
            return queue.lastWritten
        }
    }
}
