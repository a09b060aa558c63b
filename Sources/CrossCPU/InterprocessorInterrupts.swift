// Sending interrupts from CPU to CPU, and the three that the kernel uses: call function (0xfb), reschedule
// (0xfc) and TLB invalidation (0xfd).

import Interrupts
import Machine
import Primitives
import Tasks

public enum InterprocessorInterrupts {
    /// APIC identifiers by CPU number. Set once at boot, before other CPUs run.
    nonisolated(unsafe) private static var apicIDs = InlineArray<256, UInt32>(repeating: 0)

    /// Remembers who is who and takes the vectors. Boot CPU, after `CPUs.setCount`.
    public static func start(apicIDs ids: [UInt32]) {
        // Only the boot CPU runs.
        for cpu in ids.indices { unsafe apicIDs[cpu] = ids[cpu] }
        CrossCPU.start()
        unsafe TaskHooks.sendReschedule = { InterprocessorInterrupts.send(Vector.reschedule, to: Int($0)) }
        // Acknowledging is all: the way out of every interrupt reschedules if that is wanted.
        Vectors.setHandler(.reschedule, VectorHandler { @Sendable _, _ in Scheduler.rescheduleInterrupt() })
    }

    /// Interrupts one CPU. Any context.
    public static func send(_ vector: Vector, to cpu: Int) {
        // Set for every CPU that exists.
        LocalAPIC.send(vector: vector.number, to: unsafe apicIDs[cpu])
    }

    /// Interrupts each CPU of `mask`. Any context.
    public static func send(_ vector: Vector, to mask: CPUMask) { mask.forEach { send(vector, to: $0) } }
}
