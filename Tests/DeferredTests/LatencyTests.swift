// The histograms of what keeps things waiting: everything is counted once, where it ran.

import Deferred
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing
import Time

private typealias Kernel = SimulatedKernel

struct LatencyTests {
    private static func count(_ kind: Latency) -> UInt64 {
        var sum: UInt64 = 0
        for cpu in 0..<CPUs.count { sum += kind.histogram(cpu: cpu).count }
        return sum
    }

    @Test func bucketsArePowersOfTwo() {
        let kind = Latency.interruptsOff
        SimulatedCPU(index: 0).bind()
        for delay: UInt64 in [0, 1, 2, 3, 4, 1023, 1024, .max] { kind.noteAscending(delay) }
        let histogram = kind.histogram(cpu: 0)
        #expect(histogram[0] == 2)
        #expect(histogram[1] == 2)
        #expect(histogram[2] == 1)
        #expect(histogram[9] == 1)
        #expect(histogram[10] == 1)
        #expect(histogram[DelayHistogram.bucketCount - 1] == 1)
        #expect(histogram.count == 8)
        #expect(histogram.maximum == .max)
        // A counter that runs behind another CPU's.
        kind.note(0 &- 5)
        #expect(kind.histogram(cpu: 0)[0] == 3)
        kind.clear()
        #expect(kind.histogram(cpu: 0).count == 0 && kind.histogram(cpu: 0).maximum == 0)
    }

    @Test func everyWorkIsCountedOnce() {
        let failure = Kernel.underSeeds(30) { task in
            let before = Self.count(.workDelay)
            let noted = NotedWork()
            Kernel.threads(3, bound: true, task) { _, _ in
                for _ in 0..<10 {
                    noted.queue(on: .events)
                    Spin.interleave()
                }
            }
            noted.with { _ = $0.flush(task) }
            let counted = Self.count(.workDelay) - before
            Kernel.check(counted == UInt64(noted.ran), "\(noted.ran) ran, \(counted) counted")
        }
        #expect(failure == nil)
    }

    @Test func aSoftInterruptWaitsAsLongAsBottomHalvesAreOff() {
        let failure = Kernel.underSeeds(30) { task in
            let cpus = SimulatedCPU.current.machine.cpus.count
            Thread.current.bind(to: CPUMask(cpus - 1))
            Scheduler.yield(task)
            withInterruptsOff { _ in
                Latency.softInterruptDelay.clear()
                Latency.bottomHalvesOff.clear()
            }
            withBottomHalvesOff { _ in
                SoftInterrupts.raise(.irqPoll)
                Kernel.compute(40_000)
                // The one that was raised first counts.
                SoftInterrupts.raise(.irqPoll)
            }
            let delay = Latency.softInterruptDelay.histogram(cpu: CPU.index)
            Kernel.check(delay.count == 1, "\(delay.count) rounds counted")
            Kernel.check(delay.maximum >= 40_000, "waited \(delay.maximum)")
            let off = Latency.bottomHalvesOff.histogram(cpu: CPU.index)
            Kernel.check(off.maximum >= 40_000, "off for \(off.maximum)")
        }
        #expect(failure == nil)
    }

    /// What the CPU's thread runs ends no section, however long ago the last one was.
    @Test func theThreadsWorkIsNoSection() {
        let failure = Kernel.underSeeds(10, cpus: [1]) { task in
            withBottomHalvesOff { _ in SoftInterrupts.raise(.tasklet) }
            Kernel.sleep(until: CycleClock.now + 3_000_000, task)
            withInterruptsOff { _ in Latency.bottomHalvesOff.clear() }
            let before = SoftInterrupts.count(.tasklet, cpu: 0)
            // Raised by a task with bottom halves on, so the thread runs it.
            SoftInterrupts.raise(.tasklet)
            Kernel.sleep(until: CycleClock.now + 1_000_000, task)
            Kernel.check(SoftInterrupts.count(.tasklet, cpu: 0) == before + 1, "not run")
            let longest = Latency.bottomHalvesOff.histogram(cpu: 0).maximum
            Kernel.check(longest < 1_000_000, "off for \(longest)")
        }
        #expect(failure == nil)
    }

    @Test func aTimerThatComesLateIsCounted() {
        let failure = Kernel.underSeeds(10, cpus: [1]) { task in
            withInterruptsOff { _ in Latency.interruptsOff.clear() }
            let timer = HighResolutionTimer { @Sendable _, _ in .done }
            let due = CycleClock.now + 10_000
            withInterruptsOff { _ in
                timer.start(at: due)
                while CycleClock.now < due + 60_000 { SimulatedCPU.current.machine.work(100) }
            }
            while timer.isPending { Spin.interleave() }
            let late = Latency.interruptsOff.histogram(cpu: 0).maximum
            Kernel.check(late >= 50_000, "the longest was \(late)")
        }
        #expect(failure == nil)
    }

    @Test func aWakeUpWaitsForTheCPU() {
        let failure = Kernel.underSeeds(20, cpus: [1]) { task in
            withInterruptsOff { _ in Latency.wakeUpDelay.clear() }
            let shared = Shared()
            let sleeper = Kernel.start { task in shared.completion.wait(task) }
            while sleeper.state == .running { Scheduler.yield(task) }
            withPreemptionOff { _ in
                shared.completion.complete()
                let end = CycleClock.now + 30_000
                while CycleClock.now < end { SimulatedCPU.current.machine.work(100) }
            }
            Kernel.sleep(until: CycleClock.now + 1_000_000, task)
            let longest = Latency.wakeUpDelay.histogram(cpu: 0).maximum
            Kernel.check(longest >= 30_000, "the longest was \(longest)")
        }
        #expect(failure == nil)
    }
}
