// An entry of a page table: what the CPU reads (Intel SDM volume 3, 4.5) and the bits it leaves to us.

/// One of the 512 eight-byte entries of a page table of any level.
public struct PageTableEntry: Equatable, Sendable {
    public var value: UInt64

    @inline(__always)
    public init(_ value: UInt64) { self.value = value }

    @inline(__always)
    public init(_ address: PhysicalAddress, _ flags: Flags) { value = address.value | flags.rawValue }

    /// Maps nothing.
    @inline(__always)
    public static var none: Self { Self(0) }

    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt64
        @inline(__always)
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        @inline(__always) public static var present: Self { Self(rawValue: 1) }
        @inline(__always) public static var writable: Self { Self(rawValue: 1 << 1) }
        /// User mode may use the page; of the kernel's pages never set.
        @inline(__always) public static var user: Self { Self(rawValue: 1 << 2) }
        @inline(__always) public static var writeThrough: Self { Self(rawValue: 1 << 3) }
        @inline(__always) public static var cacheDisable: Self { Self(rawValue: 1 << 4) }
        /// Set by the CPU at the first use.
        @inline(__always) public static var accessed: Self { Self(rawValue: 1 << 5) }
        /// Set by the CPU at the first write.
        @inline(__always) public static var dirty: Self { Self(rawValue: 1 << 6) }
        /// In a table of level 2 or 3: maps 2 MiB or 1 GiB, leads to no table.
        @inline(__always) public static var large: Self { Self(rawValue: 1 << 7) }
        /// Stays in the TLB when CR3 is loaded.
        @inline(__always) public static var global: Self { Self(rawValue: 1 << 8) }
        /// Ours: the frame is not counted (the zero page, device memory).
        @inline(__always) public static var special: Self { Self(rawValue: 1 << 9) }
        /// Ours: a frame of private memory, not a page of an object.
        @inline(__always) public static var anonymous: Self { Self(rawValue: 1 << 10) }
        @inline(__always) public static var noExecute: Self { Self(rawValue: 1 << 63) }
    }

    /// Bits 12 to 51.
    @inline(__always)
    public var address: PhysicalAddress { PhysicalAddress(value & 0x000f_ffff_ffff_f000) }

    @inline(__always)
    public var flags: Flags { Flags(rawValue: value & ~0x000f_ffff_ffff_f000) }

    @inline(__always)
    public var isPresent: Bool { value & 1 != 0 }

    @inline(__always)
    public var isWritable: Bool { value & 2 != 0 }

    @inline(__always)
    public func contains(_ flags: Flags) -> Bool { value & flags.rawValue == flags.rawValue }

    @inline(__always)
    public func adding(_ flags: Flags) -> Self { Self(value | flags.rawValue) }

    @inline(__always)
    public func removing(_ flags: Flags) -> Self { Self(value & ~flags.rawValue) }
}

/// The levels of a page table: 1 maps pages of 4 KiB, 4 is the root.
public enum PageTableLevel {
    /// Entries in a table.
    public static let entries = 512

    /// Index of `address` in its table of level `level`.
    @inline(__always)
    public static func index(_ address: UInt, level: Int) -> Int {
        Int(truncatingIfNeeded: address &>> UInt(12 &+ 9 &* (level &- 1))) & 511
    }

    /// Bytes that one entry of a table of level `level` covers.
    @inline(__always)
    public static func span(level: Int) -> UInt { 1 &<< UInt(12 &+ 9 &* (level &- 1)) }
}
