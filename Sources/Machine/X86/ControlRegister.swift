// Control registers.

import CMachine

public enum ControlRegister {
    @_semantics("no_performance_analysis") @inline(__always)
    public static var cr0: UInt64 {
        get { machine_read_cr0() }
        set { machine_write_cr0(newValue) }
    }
    /// The address of the last page fault.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var cr2: UInt64 { machine_read_cr2() }
    @_semantics("no_performance_analysis") @inline(__always)
    public static var cr3: UInt64 {
        get { machine_read_cr3() }
        set { machine_write_cr3(newValue) }
    }
    @_semantics("no_performance_analysis") @inline(__always)
    public static var cr4: UInt64 {
        get { machine_read_cr4() }
        set { machine_write_cr4(newValue) }
    }
}
