// Model-specific registers.

import CMachine

extension MSR {
    /// Reads a register that is known to exist; one that does not ends in a kernel report.
    @_semantics("no_performance_analysis") @inline(__always)
    public func read() -> UInt64 { machine_rdmsr(number) }

    /// Writes a register that is known to exist and to take the value.
    @_semantics("no_performance_analysis") @inline(__always)
    public func write(_ value: UInt64) { machine_wrmsr(number, value) }

    /// Reads a register that may not exist: nil if the CPU refused.
    @_semantics("no_performance_analysis")
    public func readIfPresent() -> UInt64? {
        var value: UInt64 = 0
        // The pointer is to a local and used only during the call.
        return unsafe machine_rdmsr_checked(number, &value) ? value : nil
    }

    /// Writes a register that may not exist or may refuse the value: whether it did.
    @_semantics("no_performance_analysis")
    public func writeIfPresent(_ value: UInt64) -> Bool { machine_wrmsr_checked(number, value) }
}
