// What the room of deferred work needs from outside.

import CrossCPU
import Machine
import Primitives

/// Each set once at boot, before other CPUs run.
public enum DeferredHooks {
    /// Raises a soft IRQ on another CPU. Preemption is off; task or soft-IRQ context.
    nonisolated(unsafe) public static var raise: (@convention(thin) @Sendable (SoftInterrupt, Int) -> Void)? =
        nil

    /// The real machine's: by call function.
    static func setDefaults() {
        unsafe raise = { @Sendable vector, cpu in
            withPreemptionOff { off in
                CrossCPU.call(CPUMask(cpu), wait: false, off, UInt(vector.rawValue)) { context, word in
                    guard let vector = SoftInterrupt(rawValue: UInt8(truncatingIfNeeded: word)) else {
                        return
                    }
                    SoftInterrupts.raise(vector, context)
                }
            }
        }
    }
}
