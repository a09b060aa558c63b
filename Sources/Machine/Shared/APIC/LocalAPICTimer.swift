// The timer in each CPU's local APIC (Intel SDM volume 3, 10.5.4).

/// The local APIC timer of the CPU that runs the code. It counts at the rate that calibration found, divided
/// by 16, or, in TSC-deadline mode, fires when the TSC passes a value.
public enum LocalAPICTimer {
    public enum Mode: UInt32, Sendable {
        case oneShot = 0
        case periodic = 1
        case tscDeadline = 2
    }

    /// The divisor of the counter's input clock.
    public static let divisor: UInt64 = 16
    private static let divideBy16: UInt32 = 3

    /// Makes the timer raise `vector` in the given mode; not armed yet. Interrupts are off.
    public static func setUp(_ mode: Mode, vector: UInt8) {
        LocalAPIC.write(LocalAPIC.Register.divide, divideBy16)
        LocalAPIC.write(LocalAPIC.Register.timer, mode.rawValue << 17 | UInt32(vector))
        // The mode must be in effect before the deadline is written (Intel SDM volume 3, 10.5.4.1).
        if mode == .tscDeadline { Spin.fence() }
    }

    /// Counts down from its largest count without interrupting anybody: to be measured.
    public static func startCounting() {
        LocalAPIC.write(LocalAPIC.Register.timer, LocalAPIC.masked)
        LocalAPIC.write(LocalAPIC.Register.divide, divideBy16)
        LocalAPIC.write(LocalAPIC.Register.initialCount, .max)
    }

    /// Fires once after `ticks` (or, in periodic mode, every `ticks`); 0 stops it. Any context.
    @inline(__always)
    public static func arm(ticks: UInt32) { LocalAPIC.write(LocalAPIC.Register.initialCount, ticks) }

    /// Fires when the TSC reaches `deadline`, at once if it has; 0 disarms. TSC-deadline mode only.
    @inline(__always)
    public static func arm(deadline: UInt64) { MSR.timeStampCounterDeadline.write(deadline) }

    /// Ticks until it fires; 0 when it has or is not armed.
    @inline(__always)
    public static var remaining: UInt32 { LocalAPIC.read(LocalAPIC.Register.currentCount) }

    /// Stops it and masks its interrupt.
    public static func stop() {
        LocalAPIC.write(LocalAPIC.Register.timer, LocalAPIC.masked)
        LocalAPIC.write(LocalAPIC.Register.initialCount, 0)
    }
}
