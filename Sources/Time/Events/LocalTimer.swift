// The local APIC's timer as the device that sets events: by TSC deadline where the processor has that, else by
// counting down once.

import Interrupts
import Machine
import Primitives

public enum LocalTimer {
    /// Ticks (of the TSC, or of the APIC timer's count) per nanosecond with 32 bits behind the point. Written by the
    /// boot CPU before the first event.
    nonisolated(unsafe) private static var rate: UInt64 = 0
    nonisolated(unsafe) private static var usesDeadline = false

    /// Makes the local APIC timers the machine's event devices. Boot CPU, once, with the local APIC on, after
    /// `Time.boot`; then `startThisCPU` on each CPU. `countHz` is the rate of the timer's count.
    public static func boot(tscHz: UInt64, countHz: UInt64, hasDeadlineMode: Bool) {
        unsafe usesDeadline = hasDeadlineMode
        let hertz = hasDeadlineMode ? tscHz : countHz
        // Rates are below 2^34, so the shifted one fits.
        unsafe rate = (hertz << 30) / (1_000_000_000 >> 2)
        unsafe TimeHooks.setEvent = { @Sendable time in LocalTimer.setEvent(time) }
        Vectors.setHandler(.timer, VectorHandler { @Sendable context, _ in ClockEvents.interrupt(context) })
    }

    /// Lets this CPU's timer interrupt it. Interrupts are off.
    public static func startThisCPU() {
        unsafe LocalAPICTimer.setUp(usesDeadline ? .tscDeadline : .oneShot, vector: Vector.timer.number)
    }

    /// Interrupts this CPU at `time`, not before; at once if that has passed, and at the horizon if it is further.
    @_noAllocation
    private static func setEvent(_ time: UInt64) {
        let now = CycleClock.now
        let distance = time > now ? min(time &- now, ClockEvents.horizon) : 0
        // At most 2^32 ns times 2^36 ticks per ns: the high half holds what is shifted out of 64 bits.
        let product = unsafe distance.multipliedFullWidth(by: rate)
        let ticks = (product.high &<< 32 | product.low &>> 32) &+ 1
        if unsafe usesDeadline {
            LocalAPICTimer.arm(deadline: TSC.read() &+ ticks)
        } else {
            LocalAPICTimer.arm(ticks: UInt32(truncatingIfNeeded: min(ticks, UInt64(UInt32.max))))
        }
    }
}
