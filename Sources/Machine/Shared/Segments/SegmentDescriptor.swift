// Segment descriptors of the GDT (Intel SDM volume 3, 3.4.5 and 8.2.3), encoded field by field.

/// An 8-byte segment descriptor. In 64-bit mode only the type, the privilege level and the `long` flag
/// of code and data segments count; base and limit do for LSL and for 32-bit code.
public struct SegmentDescriptor: Equatable, Sendable {
    public var base: UInt32
    /// 20 bits, in units of a byte or, with `pageGranular`, of 4 KiB.
    public var limit: UInt32
    /// 4 bits: data read/write 3, code execute/read 11 (both already marked accessed), TSS 9.
    public var type: UInt8
    /// Code or data; false for system segments.
    public var isCodeOrData: Bool
    /// Descriptor privilege level, 0 to 3.
    public var privilege: UInt8
    public var isPresent: Bool
    /// 64-bit code.
    public var isLong: Bool
    /// 32-bit code or stack.
    public var isDefault32: Bool
    public var pageGranular: Bool

    public init(
        base: UInt32 = 0, limit: UInt32 = 0xfffff, type: UInt8, isCodeOrData: Bool = true,
        privilege: UInt8 = 0, isPresent: Bool = true, isLong: Bool = false, isDefault32: Bool = false,
        pageGranular: Bool = true
    ) {
        self.base = base
        self.limit = limit
        self.type = type
        self.isCodeOrData = isCodeOrData
        self.privilege = privilege
        self.isPresent = isPresent
        self.isLong = isLong
        self.isDefault32 = isDefault32
        self.pageGranular = pageGranular
    }

    public static let kernelCode = Self(type: 11, isLong: true)
    public static let kernelData = Self(type: 3, isDefault32: true)
    public static let user32Code = Self(type: 11, privilege: 3, isDefault32: true)
    public static let userData = Self(type: 3, privilege: 3, isDefault32: true)
    public static let userCode = Self(type: 11, privilege: 3, isLong: true)

    /// Data that user mode cannot write and whose limit is the CPU's number.
    public static func cpuNumber(_ cpu: Int) -> Self {
        Self(
            limit: UInt32(truncatingIfNeeded: cpu), type: 1, privilege: 3, isDefault32: true,
            pageGranular: false)
    }

    public var encoded: UInt64 {
        let limitLow = UInt64(limit & 0xffff)
        let baseLow = UInt64(base & 0xff_ffff) << 16
        let kind = UInt64(type & 15) << 40 | (isCodeOrData ? 1 << 44 : 0)
        let access = UInt64(privilege & 3) << 45 | (isPresent ? 1 << 47 : 0)
        let limitHigh = UInt64(limit >> 16 & 15) << 48
        let size = (isLong ? 1 << 53 : 0) | (isDefault32 ? 1 << 54 : 0) | (pageGranular ? 1 << 55 : UInt64(0))
        return limitLow | baseLow | kind | access | limitHigh | size | UInt64(base >> 24) << 56
    }

    /// The two words of a 64-bit TSS descriptor: available, for the segment at `base`.
    public static func taskState(base: UInt64, limit: UInt32) -> (low: UInt64, high: UInt64) {
        let low = Self(
            base: UInt32(truncatingIfNeeded: base), limit: limit, type: 9, isCodeOrData: false,
            pageGranular: false)
        return (low.encoded, base >> 32)
    }
}
