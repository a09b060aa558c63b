// What a device can report, as bitmaps by number (EVIOCGBIT).

/// A set of event codes below 768.
public struct CodeSet: BitwiseCopyable, Sendable {
    /// Codes there are room for: all of Linux's keys and buttons.
    public static let capacity = 768
    private var words = InlineArray<12, UInt64>(repeating: 0)

    public init() {}

    public init(_ codes: [UInt16]) { for code in codes { insert(code) } }

    @_noAllocation @inline(__always)
    public func contains(_ code: UInt16) -> Bool {
        guard code < Self.capacity else { return false }
        return words[Int(code >> 6)] >> UInt64(code & 63) & 1 != 0
    }

    @_noAllocation @inline(__always)
    public mutating func insert(_ code: UInt16) {
        guard code < Self.capacity else { return }
        words[Int(code >> 6)] |= 1 << UInt64(code & 63)
    }

    @_noAllocation @inline(__always)
    public mutating func remove(_ code: UInt16) {
        guard code < Self.capacity else { return }
        words[Int(code >> 6)] &= ~(1 << UInt64(code & 63))
    }

    /// The first `count` bytes of the bitmap, lowest code first; at most 96.
    public func bytes(_ count: Int) -> [UInt8] {
        (0..<min(max(count, 0), Self.capacity / 8)).map { index in
            UInt8(truncatingIfNeeded: words[index / 8] >> UInt64(index % 8 * 8))
        }
    }

    /// The words of the bitmap, lowest first.
    public var wordCount: Int { Self.capacity / 64 }
    public func word(_ index: Int) -> UInt64 { words[index] }
}

/// Who made a device (EVIOCGID).
public struct InputIdentity: BitwiseCopyable, Sendable {
    public var bus: UInt16
    public var vendor: UInt16
    public var product: UInt16
    public var version: UInt16

    public enum Bus {
        public static let i8042: UInt16 = 0x11
        public static let host: UInt16 = 0x19
    }

    public init(bus: UInt16, vendor: UInt16, product: UInt16, version: UInt16) {
        self.bus = bus
        self.vendor = vendor
        self.product = product
        self.version = version
    }
}

/// Everything fixed about a device.
public struct InputDescription: Sendable {
    public var name: StaticString
    /// Where it is attached (EVIOCGPHYS).
    public var place: StaticString
    public var identity: InputIdentity
    public var kinds = CodeSet([InputEvent.Kind.synchronize])
    public var keys = CodeSet()
    public var axes = CodeSet()
    public var miscellaneous = CodeSet()

    public init(name: StaticString, place: StaticString, identity: InputIdentity) {
        self.name = name
        self.place = place
        self.identity = identity
    }
}
