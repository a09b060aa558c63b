// A physical page: what the frame allocator hands out.

import Machine

/// The number of a physical page of 4 KiB. Says nothing about who owns it.
public struct Frame: Hashable, Sendable {
    public let number: UInt32

    @inline(__always)
    public init(_ number: UInt32) { self.number = number }

    /// The frame that `address` lies in.
    @inline(__always)
    public init(containing address: PhysicalAddress) {
        number = UInt32(truncatingIfNeeded: address.value >> 12)
    }

    @inline(__always)
    public var address: PhysicalAddress { PhysicalAddress(UInt64(number) << 12) }

    /// The frame's bytes in the direct map.
    @inline(__always)
    @unsafe public var pointer: UnsafeMutableRawPointer { unsafe address.pointer }
}

/// Who wants a frame.
public enum FrameUse: Sendable {
    /// The kernel itself: may take the last one.
    case kernel
    /// Memory of a user program or held on its behalf: fails at a watermark, so that the kernel never runs dry.
    case user
}

/// A range of physical memory, page by page or not.
public struct PhysicalRange: Equatable, Sendable {
    public var start: UInt64
    /// First byte behind the range.
    public var end: UInt64

    public init(start: UInt64, end: UInt64) {
        self.start = start
        self.end = end
    }
}
