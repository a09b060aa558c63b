// What the room of deferred work needs from outside.

import CrossCPU
import Machine
import Primitives

/// Each set once at boot, before other CPUs run.
public enum DeferredHooks {
    /// Raises a soft IRQ on another CPU. Preemption is off; task or soft-IRQ context.
    nonisolated(unsafe) public static var raise: (@convention(thin) @Sendable (SoftInterrupt, Int) -> Void)? =
        nil

    /// Sleeps for so many nanoseconds; set by room `Time`, which is below this one. Until then waiting is yielding.
    nonisolated(unsafe) public static var sleep:
        (@convention(thin) @Sendable (UInt64, borrowing TaskContext) -> Void)? = nil
    /// For tests: true lets the making of a worker fail as for lack of memory.
    nonisolated(unsafe) public static var failsToHire: (@convention(thin) @Sendable () -> Bool)? = nil
    /// `workqueue.power_efficient` on the command line.
    nonisolated(unsafe) public static var savesPower = false

    /// The real machine's, by call function, where nothing else was set.
    static func setDefaults() {
        if unsafe raise != nil { return }
        unsafe raise = { @Sendable vector, cpu in
            withPreemptionOff { off in
                // A CPU that is off raises nothing.
                try? CrossCPU.callFunction(on: cpu, wait: false, off, UInt(vector.rawValue)) {
                    context, word in
                    guard let vector = SoftInterrupt(rawValue: UInt8(truncatingIfNeeded: word)) else {
                        return
                    }
                    SoftInterrupts.raise(vector, context)
                }
            }
        }
    }
}
