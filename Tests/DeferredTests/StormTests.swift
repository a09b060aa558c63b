// Soft IRQs that never end: who computes keeps the larger part of the CPU.

import Deferred
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

private typealias Kernel = SimulatedKernel

struct StormTests {
    /// A device whose every interrupt raises a soft IRQ that takes long and lets it interrupt again.
    @Test func aStormLeavesHalfOfTheCPU() {
        let failure = Kernel.underSeeds(4, cpus: [1, 2]) { task in
            SoftInterrupts.register(.irqPoll) { @Sendable _ in
                SimulatedCPU.current.machine.work(20_000)
                Kernel.interrupt(CPU.index)
            }
            Kernel.handler = { _, context in SoftInterrupts.raise(.irqPoll, context) }
            let last = SimulatedCPU.current.machine.cpus.count - 1
            let shared = Shared()
            Kernel.start(on: CPUMask(last)) { task in
                Kernel.interrupt(CPU.index)
                let start = CycleClock.now
                var done: UInt64 = 0
                while CycleClock.now < start + 200_000_000 {
                    SimulatedCPU.current.machine.work(10_000)
                    done += 10_000
                }
                let share = done * 100 / (CycleClock.now - start)
                Kernel.check(SoftInterrupts.count(.irqPoll, cpu: CPU.index) > 100, "no storm")
                Kernel.check(share >= 50, "\(share) % are left")
                Kernel.handler = nil
                shared.completion.complete()
            }
            shared.completion.wait(task)
        }
        #expect(failure == nil)
    }
}
