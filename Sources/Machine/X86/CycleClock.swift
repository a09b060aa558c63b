// Nanoseconds since boot from the processor's time-stamp counter: the clock of the scheduler, of the
// timers and of everything that measures. Calibration sets it up once; until then it stands at 0.

import CMachine

public enum CycleClock {
    // Written once on the boot CPU before other CPUs run, or before interrupts are on.
    /// Nanoseconds per cycle, with `shift` bits behind the point.
    nonisolated(unsafe) private static var multiplier: UInt64 = 0
    private static let shift: UInt64 = 32
    nonisolated(unsafe) private static var start: UInt64 = 0
    /// Cycles per second, 0 before calibration.
    nonisolated(unsafe) public private(set) static var frequency: UInt64 = 0

    /// The counter itself.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var cycles: UInt64 { machine_rdtsc() }

    /// Nanoseconds since boot. Any context, NMI too. A load, a multiplication and a shift.
    @_semantics("no_performance_analysis") @inline(__always)
    public static var now: UInt64 { time(at: machine_rdtsc()) }

    /// When the counter stood at `cycles`, in nanoseconds since boot.
    @inline(__always)
    public static func time(at cycles: UInt64) -> UInt64 {
        // A counter that starts a little later on another CPU must not make time jump by 2^64.
        nanoseconds(unsafe cycles > start ? cycles &- start : 0)
    }

    /// `cycles` as nanoseconds.
    @inline(__always)
    public static func nanoseconds(_ cycles: UInt64) -> UInt64 {
        let product = unsafe cycles.multipliedFullWidth(by: multiplier)
        return product.high &<< (64 &- shift) | product.low &>> shift
    }

    /// `nanoseconds` as cycles, rounded up; saturates. One division.
    public static func cycles(nanoseconds: UInt64) -> UInt64 {
        let seconds = nanoseconds / 1_000_000_000
        let rest = nanoseconds % 1_000_000_000
        let (whole, overflow) = unsafe seconds.multipliedReportingOverflow(by: frequency)
        // Below 2^30 x 2^34: fits for counters up to 17 GHz.
        let part = unsafe (rest &* frequency &+ 999_999_999) / 1_000_000_000
        let (sum, carry) = whole.addingReportingOverflow(part)
        return overflow || carry ? .max : sum
    }

    /// Starts the clock with a counter of `frequency` cycles per second (1 MHz to 17 GHz) that stood at `origin` when
    /// the kernel's time began.
    public static func start(frequency: UInt64, origin: UInt64) {
        precondition(frequency >= 1_000_000 && frequency < 1 << 34, "time-stamp counter frequency")
        unsafe Self.frequency = frequency
        // 10^9 x 2^32 / frequency: an error below 10^-9 for counters faster than 1 GHz.
        let dividend = UInt64(1_000_000_000).multipliedFullWidth(by: 1 << shift)
        unsafe start = origin
        unsafe multiplier = frequency.dividingFullWidth(dividend).quotient
    }
}
