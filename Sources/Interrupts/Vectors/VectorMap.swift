// The map of the 256 vectors: one table, from which everything else derives.
//
//     0-19     exceptions and NMI
//     20-31    reserved by the processor's makers (some are exceptions of newer CPUs)
//     32-127   device interrupts
//     128      system calls by INT 0x80; the gate has DPL 3
//     129-238  device interrupts
//     239      local APIC timer
//     240-250  reserved
//     251      call function (IPI)
//     252      reschedule (IPI)
//     253      TLB invalidation (IPI)
//     254      local APIC error
//     255      spurious
//
// Every gate is an interrupt gate: see CMachine/X86/entry.S for why a trap gate cannot be.

import Machine

/// One of the 256 interrupt vectors.
public struct Vector: Equatable, Sendable {
    public let number: UInt8
    @inline(__always) public init(_ number: UInt8) { self.number = number }

    public static let divideError = Vector(0)
    public static let debug = Vector(1)
    public static let nonMaskable = Vector(2)
    public static let breakpoint = Vector(3)
    public static let overflow = Vector(4)
    public static let boundRange = Vector(5)
    public static let invalidOpcode = Vector(6)
    public static let deviceNotAvailable = Vector(7)
    public static let doubleFault = Vector(8)
    public static let coprocessorSegment = Vector(9)
    public static let invalidTSS = Vector(10)
    public static let segmentNotPresent = Vector(11)
    public static let stackFault = Vector(12)
    public static let generalProtection = Vector(13)
    public static let pageFault = Vector(14)
    public static let floatingPoint = Vector(16)
    public static let alignmentCheck = Vector(17)
    public static let machineCheck = Vector(18)
    public static let simdFloatingPoint = Vector(19)
    public static let virtualization = Vector(20)
    public static let controlProtection = Vector(21)
    public static let systemCall = Vector(128)
    public static let timer = Vector(239)
    public static let callFunction = Vector(251)
    public static let reschedule = Vector(252)
    public static let invalidateTLB = Vector(253)
    public static let error = Vector(254)
    public static let spurious = Vector(255)

    /// First vector that is not an exception's.
    public static let firstExternal: UInt8 = 32
    /// The vectors that device lines get, 128 excepted.
    public static let devices: ClosedRange<UInt8> = 32...238

    /// What a vector is used for.
    public enum Use: Equatable, Sendable {
        case exception, reserved, device, systemCall, local
    }

    public var use: Use {
        switch number {
        case 0...19: .exception
        case 128: .systemCall
        case Self.devices: .device
        case 239, 251...255: .local
        default: .reserved
        }
    }

    /// The stack that the gate switches to.
    public var stack: EntryStack? {
        switch self {
        case .doubleFault: .doubleFault
        case .nonMaskable: .nonMaskable
        case .machineCheck: .machineCheck
        case .debug: .debug
        default: nil
        }
    }

    /// The least privileged level that may come here by an INT instruction: INT3, INTO and INT 0x80 are
    /// for user programs, for all others the processor answers with a general protection exception.
    public var privilege: UInt8 {
        switch self {
        case .breakpoint, .overflow, .systemCall: 3
        default: 0
        }
    }

    /// Whether the processor pushes an error code (Intel SDM volume 3, table 6-1).
    public var pushesErrorCode: Bool {
        switch number {
        case 8, 10...14, 17, 21, 29, 30: true
        default: false
        }
    }

    /// The exception's name, for reports.
    public var name: StaticString {
        switch number {
        case 0: "divide error"
        case 1: "debug"
        case 2: "NMI"
        case 3: "breakpoint"
        case 4: "overflow"
        case 5: "bound range exceeded"
        case 6: "invalid opcode"
        case 7: "device not available"
        case 8: "double fault"
        case 9: "coprocessor segment overrun"
        case 10: "invalid TSS"
        case 11: "segment not present"
        case 12: "stack fault"
        case 13: "general protection fault"
        case 14: "page fault"
        case 16: "x87 floating-point error"
        case 17: "alignment check"
        case 18: "machine check"
        case 19: "SIMD floating-point error"
        case 20: "virtualization exception"
        case 21: "control protection"
        case 29: "VMM communication"
        case 30: "security exception"
        case 0...31: "reserved exception"
        default: "interrupt"
        }
    }
}

/// The stacks that gates switch to (IST), with their numbers in the TSS.
public enum EntryStack: UInt8, Sendable {
    case doubleFault = 1
    case nonMaskable, machineCheck, debug
    public static let count = 4
}
