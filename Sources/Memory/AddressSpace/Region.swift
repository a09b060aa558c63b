// A region: a range of pages of an address space with one meaning, what Linux calls a VMA.

import Machine
import Primitives

/// What may be done with a page (`PROT_*`).
public struct Protection: OptionSet, Sendable {
    public let rawValue: UInt8
    @inline(__always) public init(rawValue: UInt8) { self.rawValue = rawValue }
    @inline(__always) public static var read: Self { Self(rawValue: 1) }
    @inline(__always) public static var write: Self { Self(rawValue: 2) }
    @inline(__always) public static var execute: Self { Self(rawValue: 4) }
    @inline(__always) public static var all: Self { Self(rawValue: 7) }
}

/// What a region is, beside its protection.
public struct RegionFlags: OptionSet, Sendable {
    public let rawValue: UInt16
    @inline(__always) public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// `MAP_SHARED`: writes go into the object.
    @inline(__always) public static var shared: Self { Self(rawValue: 1) }
    /// Grows downwards when touched below its start: a stack.
    @inline(__always) public static var growsDown: Self { Self(rawValue: 1 << 1) }
    /// `mlock`. Nothing is ever swapped, so this only shows.
    @inline(__always) public static var locked: Self { Self(rawValue: 1 << 2) }
    /// `MADV_DONTFORK`
    @inline(__always) public static var notForked: Self { Self(rawValue: 1 << 3) }
    /// `MADV_WIPEONFORK`
    @inline(__always) public static var wipedOnFork: Self { Self(rawValue: 1 << 4) }
    /// `MADV_DONTDUMP`
    @inline(__always) public static var notDumped: Self { Self(rawValue: 1 << 5) }
    /// Has had private pages, so that a fork must look at its page tables.
    @inline(__always) static var hasPrivatePages: Self { Self(rawValue: 1 << 6) }
    @inline(__always) public static var noReserve: Self { Self(rawValue: 1 << 7) }
}

/// Regions that have a name of their own in `/proc/PID/maps`.
public enum RegionKind: UInt8, Sendable {
    case ordinary = 0
    case heap
    case stack
    case vdso
    case vvar
}

/// Everything about a region but where it is and what it maps; neighbours that agree in it can be one.
struct RegionAttributes: Equatable {
    var protection: Protection
    /// What `mprotect` may allow.
    var maximum: Protection
    var flags: RegionFlags
    var kind: RegionKind

    @inline(__always)
    static func == (a: Self, b: Self) -> Bool {
        a.protection == b.protection && a.maximum == b.maximum && a.kind == b.kind
            && a.flags.symmetricDifference(b.flags).isSubset(of: .hasPrivatePages)
    }
}

/// What others see of a region.
public struct Region {
    public let start: UInt
    /// First byte behind the region.
    public let end: UInt
    public let protection: Protection
    public let flags: RegionFlags
    public let kind: RegionKind
    /// nil: anonymous.
    public let object: MemoryObject?
    /// Page of the object that the region starts with.
    public let pageOffset: Int

    public var isShared: Bool { flags.contains(.shared) }
    public var byteCount: UInt { end - start }
}

/// A region in its address space's tree. Guarded by the address space's lock.
@safe struct RegionNode: ~Copyable {
    var start: UInt
    var end: UInt
    /// Neighbours by address.
    var previous: RegionTree.Link = nil
    var next: RegionTree.Link = nil
    /// Children: lower and higher addresses.
    var left: RegionTree.Link = nil
    var right: RegionTree.Link = nil
    /// Of the subtree: its first byte, the first behind it, and the largest hole inside it.
    var lowest: UInt
    var highest: UInt
    var largestGap: UInt = 0
    let object: MemoryObject?
    var pageOffset: Int
    var attributes: RegionAttributes
    /// Of the subtree.
    var height: UInt8 = 1

    init(
        _ start: UInt, _ end: UInt, _ attributes: RegionAttributes, _ object: MemoryObject?, _ pageOffset: Int
    ) {
        self.start = start
        self.end = end
        lowest = start
        highest = end
        self.attributes = attributes
        self.object = object
        self.pageOffset = pageOffset
    }

    /// The page of the object that `address`, which lies in the region, maps.
    @inline(__always)
    func page(at address: UInt) -> Int { pageOffset &+ Int(bitPattern: (address &- start) / pageSize) }

    @inline(__always)
    var isShared: Bool { attributes.flags.contains(.shared) }

    /// A snapshot.
    var region: Region {
        Region(
            start: start, end: end, protection: attributes.protection, flags: attributes.flags,
            kind: attributes.kind, object: object, pageOffset: pageOffset)
    }
}
