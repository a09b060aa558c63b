// Physical and virtual addresses as types of their own, and the map of the address space.
//
// Everything lies in the lower canonical half, since the tag of an enum with class payloads
// lives in the top byte of a reference: user programs below 64 TiB, and above them the direct
// map of all physical memory, of which the kernel's own image is a part. One mapping of each
// frame, so what is read-only or executable there is so everywhere.

/// Bytes in the smallest page, and in a frame.
public let pageSize: UInt = 4096

/// A physical address.
public struct PhysicalAddress: Hashable, Comparable, Sendable {
    public var value: UInt64

    @inline(__always)
    public init(_ value: UInt64) { self.value = value }

    @inline(__always)
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }

    @inline(__always)
    public static func + (a: Self, bytes: UInt64) -> Self { Self(a.value &+ bytes) }
}

/// A virtual address that nobody has checked: it may be anything a user program made up.
public struct VirtualAddress: Hashable, Comparable, Sendable {
    public var value: UInt

    @inline(__always)
    public init(_ value: UInt) { self.value = value }

    @inline(__always)
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }

    @inline(__always)
    public static func + (a: Self, bytes: UInt) -> Self { Self(a.value &+ bytes) }

    /// The address of the page this address lies in.
    @inline(__always)
    public var pageBase: Self { Self(value & ~(pageSize - 1)) }
}

/// The map of the virtual address space.
public enum KernelLayout {
    /// First address that is not the user's: 64 TiB.
    public static let userEnd: UInt = 0x4000_0000_0000
    /// Where physical address 0 is mapped (direct map), 16 TiB of room.
    public static let directMap: UInt = 0x4000_0000_0000
    /// Kernel stacks with guard pages, 1 TiB.
    public static let stacks: UInt = 0x5000_0000_0000
    /// Device registers, mapped uncached, 1 TiB.
    public static let devices: UInt = 0x5100_0000_0000
}
