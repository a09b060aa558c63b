// Gates of the interrupt descriptor table: 16 bytes in long mode, field for field.
//
//     struct gate_struct {        struct idt_bits {
//       u16 offset_low;             u16 ist : 3,
//       u16 segment;                    zero : 5,
//       struct idt_bits bits;           type : 5,
//       u16 offset_middle;              dpl : 2,
//       u32 offset_high;                p : 1;
//       u32 reserved;             };
//     };
//
// (Intel SDM volume 3, 6.14.1.)

/// Types of gates (Intel SDM volume 3, table 3-2).
public enum GateType: UInt8, Sendable {
    /// Clears IF on the way in.
    case interrupt = 0xe
    /// Leaves IF as it is.
    case trap = 0xf
    /// Not in the IDT, in any mode.
    case call = 0xc
    /// Hardware task switch: 32-bit only.
    case task = 0x5
}

/// Why a gate cannot be installed.
public enum GateError: Error, Equatable, Sendable {
    /// Long mode allows only interrupt and trap gates in the IDT.
    case typeNotAllowedInLongMode(GateType)
    /// IST has 3 bits, the privilege level 2.
    case stackOutOfRange(UInt8)
    case privilegeOutOfRange(UInt8)
}

/// One gate.
public struct GateDescriptor: Equatable, Sendable {
    /// Address of the entry code.
    public var offset: UInt64
    public var segment: UInt16
    /// Interrupt stack table entry, 1 to 7; 0 for none.
    public var ist: UInt8
    /// 4 bits in the type field of 5, whose top bit is 0 for a system descriptor.
    public var type: UInt8
    /// The least privileged level that may use INT n to come here.
    public var dpl: UInt8
    public var isPresent: Bool
    public var zero: UInt8 = 0
    public var reserved: UInt32 = 0

    public init(
        offset: UInt64, segment: UInt16 = SegmentSelector.kernelCode, type: GateType = .interrupt,
        ist: UInt8 = 0,
        dpl: UInt8 = 0
    ) throws(GateError) {
        guard type == .interrupt || type == .trap else { throw .typeNotAllowedInLongMode(type) }
        guard ist < 8 else { throw .stackOutOfRange(ist) }
        guard dpl < 4 else { throw .privilegeOutOfRange(dpl) }
        self.offset = offset
        self.segment = segment
        self.type = type.rawValue
        self.ist = ist
        self.dpl = dpl
        isPresent = true
    }

    /// Decodes the two words of a gate.
    public init(low: UInt64, high: UInt64) {
        offset = low & 0xffff | low >> 32 & 0xffff_0000 | high << 32
        segment = UInt16(truncatingIfNeeded: low >> 16)
        ist = UInt8(truncatingIfNeeded: low >> 32) & 7
        zero = UInt8(truncatingIfNeeded: low >> 35) & 31
        type = UInt8(truncatingIfNeeded: low >> 40) & 31
        dpl = UInt8(truncatingIfNeeded: low >> 45) & 3
        isPresent = low >> 47 & 1 != 0
        reserved = UInt32(truncatingIfNeeded: high >> 32)
    }

    /// The two words as the processor reads them.
    public var encoded: (low: UInt64, high: UInt64) {
        let offsetLow = offset & 0xffff
        let offsetMiddle = offset >> 16 & 0xffff
        let bits =
            UInt64(ist & 7) | UInt64(zero & 31) << 3 | UInt64(type & 31) << 8 | UInt64(dpl & 3) << 13
            | (isPresent ? 1 << 15 : 0)
        let low = offsetLow | UInt64(segment) << 16 | bits << 32 | offsetMiddle << 48
        return (low, offset >> 32 | UInt64(reserved) << 32)
    }
}
