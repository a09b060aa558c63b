// Waiting by the time stamp counter, for the few places that cannot sleep: device set-up, the start of CPUs,
// the end of the kernel.

public enum Delay {
    /// Cycles of the TSC per microsecond; set by calibration. Until then it is taken to be fast, so that
    /// waits are rather too long.
    nonisolated(unsafe) public static var cyclesPerMicrosecond: UInt64 = 4000

    /// Any context.
    public static func microseconds(_ count: Int) {
        let cycles = unsafe UInt64(max(count, 0)) &* cyclesPerMicrosecond
        let start = TSC.read()
        while TSC.read() &- start < cycles { Spin.pause() }
    }

    public static func seconds(_ count: Int) {
        for _ in 0..<max(count, 0) { microseconds(1_000_000) }
    }
}
