// CPUs that go and come back while others sleep, compute and call, on the simulated machine.

import CrossCPU
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing
import Time

private final class Shared: Sendable {
    let isOver = Atomic<Bool>(false)
    let sleeps = Atomic<Int>(0)
    let turns = Atomic<Int>(0)
    let calls = Atomic<Int>(0)
    let ran = Atomic<Int>(0)
}

extension CrossCPUMachineTests {
    @Suite struct HotplugTests {
        @Test func nothingIsLost() {
            let failure = SimulatedKernel.underSeeds(12, cpus: [2, 4]) { task in
                let shared = Shared()
                let done = Shared()
                load(shared, done)
                for round in 0..<6 {
                    let cpu = 1 + round % (CPUs.count - 1)
                    turn(cpu, online: false, task)
                    SimulatedKernel.check(!CPUs.isOnline(cpu), "still online")
                    SimulatedKernel.check(CPUHotplug.state(of: cpu) == .offline)
                    SimulatedKernel.compute(SimulatedKernel.random(30_000))
                    turn(cpu, online: true, task)
                    SimulatedKernel.check(CPUs.onlineCount == CPUs.count, "not back")
                }
                shared.isOver.store(true, ordering: .sequentiallyConsistent)
                let end = CycleClock.now + 400_000_000
                while done.ran.load(ordering: .acquiring) < 5 {
                    SimulatedKernel.check(CycleClock.now < end, "a thread does not come back")
                    SimulatedKernel.sleep(until: CycleClock.now + 100_000, task)
                }
                SimulatedKernel.check(shared.sleeps.load(ordering: .relaxed) > 0, "nobody slept")
            }
            #expect(failure == nil)
        }

        /// Two that sleep, two that compute, one that calls everybody.
        private func load(_ shared: Shared, _ done: Shared) {
            for index in 0..<5 {
                SimulatedKernel.start { task in
                    while !shared.isOver.load(ordering: .sequentiallyConsistent) {
                        switch index {
                        case 0, 1:
                            let time = CycleClock.now + 20_000
                            SimulatedKernel.sleep(until: time, task)
                            SimulatedKernel.check(CycleClock.now >= time, "woken early")
                            shared.sleeps.wrappingAdd(1, ordering: .relaxed)
                        case 2, 3:
                            SimulatedKernel.compute(2000)
                            Scheduler.reschedulePoint(task)
                            shared.turns.wrappingAdd(1, ordering: .relaxed)
                        default:
                            callAll(shared)
                            Scheduler.yield(task)
                        }
                    }
                    done.ran.wrappingAdd(1, ordering: .releasing)
                }
            }
        }

        /// A call that waits has run on as many CPUs as it says.
        private func callAll(_ shared: Shared) {
            withPreemptionOff { off in
                let before = unsafe hotplugRan
                let called =
                    (try? CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in
                        unsafe hotplugRan += 1
                    }) ?? -1
                unsafe SimulatedKernel.check(hotplugRan - before == called, "a call was lost")
            }
            shared.calls.wrappingAdd(1, ordering: .relaxed)
        }

        private func turn(_ cpu: Int, online: Bool, _ task: borrowing TaskContext) {
            do throws(Errno) { try CPUHotplug.set(cpu, online: online, task) } catch {
                SimulatedKernel.check(false, "CPU \(cpu) online \(online): error \(error.code)")
            }
        }

        @Test func theBootCPUStays() {
            let failure = SimulatedKernel.underSeeds(12, cpus: [1, 2]) { task in
                for (cpu, wanted) in [(0, Errno.busy), (-1, .invalid), (CPUs.count, .invalid)] {
                    var got: Errno?
                    do throws(Errno) { try CPUHotplug.set(cpu, online: false, task) } catch { got = error }
                    SimulatedKernel.check(got == wanted, "CPU \(cpu): \(String(describing: got))")
                }
            }
            #expect(failure == nil)
        }
    }
}

nonisolated(unsafe) private var hotplugRan = 0
