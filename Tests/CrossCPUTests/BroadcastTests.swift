// One command to everybody: only while everybody is there.

import CrossCPU
import Interrupts
import Machine
import Primitives
import SimulatedKernel
import Tasks
import Testing

nonisolated(unsafe) private var ran = 0

extension CrossCPUMachineTests {
    @Suite struct BroadcastTests {
        /// Calls all others; returns how many commands to everybody that took.
        private func callAll() -> Int {
            let machine = SimulatedCPU.current.machine
            let before = machine.sentBroadcasts
            unsafe ran = 0
            let called = withPreemptionOff { off in
                (try? CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in unsafe ran += 1 })
                    ?? -1
            }
            unsafe SimulatedKernel.check(ran == called, "\(ran) of \(called) ran")
            return machine.sentBroadcasts - before
        }

        private func turn(_ cpu: Int, online: Bool, _ task: borrowing TaskContext) {
            do throws(Errno) { try CPUHotplug.set(cpu, online: online, task) } catch {
                SimulatedKernel.check(false, "CPU \(cpu): error \(error.code)")
            }
        }

        /// While a CPU is parked it is interrupted by nobody's call; the rest are.
        @Test func parkedCPUsAreNotHit() {
            let failure = SimulatedKernel.underSeeds(20, cpus: [4, 6]) { task in
                let machine = SimulatedCPU.current.machine
                SimulatedKernel.check(callAll() <= 1, "more than one command")
                let parked = CPUs.count - 1
                turn(parked, online: false, task)
                nonisolated(unsafe) var hits = 0
                machine.losesIPI = { cpu, vector in
                    if cpu == parked, vector == Vector.callFunction.number { unsafe hits += 1 }
                    return false
                }
                for _ in 0..<5 { SimulatedKernel.check(callAll() == 0, "a command to everybody") }
                InterprocessorInterrupts.sendToOthers(.callFunction)
                InterprocessorInterrupts.sendToAll(.callFunction)
                unsafe SimulatedKernel.check(hits == 0, "the parked CPU was interrupted \(hits) times")
                machine.losesIPI = nil
                turn(parked, online: true, task)
            }
            #expect(failure == nil)
        }

        @Test func everybodyIsToldByOneCommand() {
            let failure = SimulatedKernel.underSeeds(20, cpus: [4, 6]) { _ in
                let machine = SimulatedCPU.current.machine
                let before = (machine.sentIPIs, machine.sentBroadcasts)
                withInterruptsOff { _ in
                    InterprocessorInterrupts.sendToOthers(.callFunction)
                    InterprocessorInterrupts.sendToAll(.callFunction)
                }
                SimulatedKernel.check(machine.sentBroadcasts - before.1 >= 2, "no command to everybody")
            }
            #expect(failure == nil)
        }

        /// The machine has a CPU more than the kernel uses.
        @Test func whereCPUsWereLeftOutNobodyIsToldByAShorthand() {
            let failure = SimulatedKernel.underSeeds(20, cpus: [4]) { _ in
                CPUs.setCount(CPUs.count, present: CPUs.count + 1)
                for _ in 0..<5 { SimulatedKernel.check(callAll() == 0, "a command to everybody") }
                let before = SimulatedCPU.current.machine.sentBroadcasts
                InterprocessorInterrupts.sendToOthers(.callFunction)
                InterprocessorInterrupts.sendToAll(.callFunction)
                SimulatedKernel.check(SimulatedCPU.current.machine.sentBroadcasts == before, "a shorthand")
            }
            #expect(failure == nil)
        }

        /// Few receivers out of many are told one by one.
        @Test func aPartIsNotEverybody() {
            let failure = SimulatedKernel.underSeeds(20, cpus: [6]) { _ in
                let machine = SimulatedCPU.current.machine
                unsafe ran = 0
                var some = CPUs.online
                some.remove(CPU.index == 5 ? 4 : 5)
                some.remove(CPU.index)
                let before = machine.sentBroadcasts
                let called = withPreemptionOff { off in
                    (try? CrossCPU.callFunctionMany(some, wait: true, off) { _, _ in unsafe ran += 1 }) ?? -1
                }
                unsafe SimulatedKernel.check(called == 4 && ran == 4, "\(ran) of \(called) ran")
                SimulatedKernel.check(machine.sentBroadcasts == before, "a command to everybody")
            }
            #expect(failure == nil)
        }
    }
}
