// The selectors of the segments in each CPU's GDT.

import CMachine

/// Selectors, with the numbers that Linux programs know.
public enum SegmentSelector {
    public static let kernelCode = UInt16(SELECTOR_KERNEL_CS)
    public static let kernelData = UInt16(SELECTOR_KERNEL_DS)
    public static let user32Code = UInt16(SELECTOR_USER32_CS)
    public static let userData = UInt16(SELECTOR_USER_DS)
    public static let userCode = UInt16(SELECTOR_USER_CS)
    public static let taskState = UInt16(SELECTOR_TSS)
    /// A segment whose limit is the CPU's number, for LSL in user mode.
    public static let cpuNumber = UInt16(SELECTOR_CPU_NUMBER)
}
