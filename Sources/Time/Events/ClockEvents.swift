// The device that interrupts a CPU at a given time: its local APIC's timer, by whichever of its modes.

import Machine
import Primitives
import Synchronization

/// What the time room needs from outside; each set once at boot, before the first timer.
public enum TimeHooks {
    /// Makes this CPU's device interrupt at the given time (nanoseconds since boot), never before; soon, if that has
    /// passed. Interrupts are off.
    nonisolated(unsafe) public static var setEvent: (@convention(thin) @Sendable (UInt64) -> Void)? = nil
    /// Runs `ClockEvents.refresh` on all other CPUs, in hard interrupt context.
    nonisolated(unsafe) public static var refreshOthers: (@convention(thin) @Sendable () -> Void)? = nil
}

public enum ClockEvents {
    /// The furthest that a device is asked to look ahead: counters of 32 bits overflow soon after.
    static let horizon: UInt64 = 4_000_000_000

    /// The timer interrupt of this CPU: expires what is due, ends the slice of the running thread if it is over, and
    /// sets the next event.
    @_noAllocation
    public static func interrupt(_ context: borrowing HardInterruptContext) {
        unsafe TimeState.current.pointee.queues.withRemote(CPU.index) { queue in
            unsafe queue.interrupt(context)
        }
    }

    /// Sets this CPU's event anew, after a clock was set. Interrupts are off.
    @_noAllocation
    public static func refresh(_ context: borrowing HardInterruptContext) { interrupt(context) }

    @_semantics("no_performance_analysis") @inline(__always)
    static func set(_ time: UInt64) { unsafe TimeHooks.setEvent?(time) }
}
