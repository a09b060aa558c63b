// The bases of FS and GS of user mode: thread-local storage of user programs.

import CMachine

/// FS and GS base of a user thread while it does not run.
public struct SegmentBases {
    public var fs: UInt64 = 0
    public var gs: UInt64 = 0

    private static let fsBaseMSR: UInt32 = 0xc000_0100
    /// GS base of user mode while the kernel runs (SWAPGS exchanges it with the kernel's).
    private static let kernelGSBaseMSR: UInt32 = 0xc000_0102
    /// CR4.FSGSBASE: user programs may write the bases themselves, so only the registers know them.
    nonisolated(unsafe) private static var userCanWrite = false

    public init() {}

    /// Whether programs may write the bases themselves (RDFSBASE and its kin).
    public static var programsMaySet: Bool { unsafe userCanWrite }

    /// To be called once on the boot CPU after CR4 is set up.
    public static func detect() { unsafe userCanWrite = machine_read_cr4() & (1 << 16) != 0 }

    /// Reads what the running thread has set. Interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public mutating func save() {
        guard unsafe Self.userCanWrite else { return }
        fs = machine_rdfsbase()
        gs = machine_rdmsr(Self.kernelGSBaseMSR)
    }

    /// Loads the bases for the thread that runs next; `old` is what the registers hold. Values are
    /// canonical: whoever sets them checks that. Interrupts are off.
    @_semantics("no_performance_analysis") @inline(__always)
    public func load(over old: SegmentBases) {
        if unsafe Self.userCanWrite {
            machine_wrfsbase(fs)
        } else if fs != old.fs {
            machine_wrmsr(Self.fsBaseMSR, fs)
        }
        if gs != old.gs { machine_wrmsr(Self.kernelGSBaseMSR, gs) }
    }
}
