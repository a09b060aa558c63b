// A split virtqueue, used for one chain of buffers at a time (Virtual I/O Device specification 1.1, 2.6). Its three parts lie
// in one frame: descriptors, the ring of those made available, the ring of those used.

import Machine
import Memory
import Primitives

/// Its user sees to it that one thread at a time uses it.
@safe struct VirtQueue: @unchecked Sendable {
    static let maximumSize: UInt16 = 64
    private static let availableOffset = 1024
    private static let usedOffset = 2048
    private static let next: UInt16 = 1
    private static let deviceWrites: UInt16 = 2

    private let base: UnsafeMutableRawPointer
    private let physical: UInt64
    private let size: UInt16
    private let bell: MMIO

    /// A piece of memory for the device to read or to write.
    struct Buffer {
        var address: UInt64
        var count: UInt32
        var isWritable: Bool
    }

    /// Takes over a frame that is all zero.
    @unsafe init(_ frame: Frame, size: UInt16, bell: MMIO) {
        unsafe base = UnsafeMutableRawPointer(frame.pointer)
        physical = frame.address.value
        self.size = size
        self.bell = bell
    }

    var descriptorsAddress: UInt64 { physical }
    var availableAddress: UInt64 { physical + UInt64(Self.availableOffset) }
    var usedAddress: UInt64 { physical + UInt64(Self.usedOffset) }

    private var availableIndex: UInt16 {
        get { unsafe (base + Self.availableOffset + 2).load(as: UInt16.self) }
        nonmutating set {
            unsafe (base + Self.availableOffset + 2).storeBytes(of: newValue, as: UInt16.self)
        }
    }

    /// How many chains the device has used, as far as it has said so.
    private var usedIndex: UInt16 {
        // The device writes it at any time: looked at anew each time.
        unsafe MMIO(VirtualAddress(UInt(bitPattern: base) + UInt(Self.usedOffset) + 2)).read16(0)
    }

    /// Whether the device has used all that was made available.
    var isIdle: Bool { usedIndex == availableIndex }

    /// Bytes that the device says to have written into the chain it used last.
    var lastWritten: UInt32 {
        let slot = Int((usedIndex &- 1) & (size &- 1))
        // Inside the frame: 8 bytes for each of at most 64 slots.
        return unsafe (base + Self.usedOffset + 4 + slot * 8 + 4).load(as: UInt32.self)
    }

    /// Hands the chain of buffers, at most `size` of them, to the device and tells it.
    func submit(_ buffers: Span<Buffer>) {
        precondition(buffers.count > 0 && buffers.count <= Int(size))
        for index in buffers.indices {
            let buffer = buffers[index]
            let isLast = index == buffers.count - 1
            let place = unsafe base + index * 16
            let flags = (isLast ? 0 : Self.next) | (buffer.isWritable ? Self.deviceWrites : 0)
            // Inside the frame: 16 bytes for each of at most 64 descriptors.
            unsafe place.storeBytes(of: buffer.address, as: UInt64.self)
            unsafe (place + 8).storeBytes(of: buffer.count, as: UInt32.self)
            unsafe (place + 12).storeBytes(of: flags, as: UInt16.self)
            unsafe (place + 14).storeBytes(of: isLast ? 0 : UInt16(index + 1), as: UInt16.self)
        }
        let slot = Int(availableIndex & (size &- 1))
        unsafe (base + Self.availableOffset + 4 + slot * 2).storeBytes(of: 0, as: UInt16.self)
        Spin.fence()
        availableIndex = availableIndex &+ 1
        Spin.fence()
        bell.write16(0, 0)
    }
}
