// Calls that cannot be made, receivers that do not answer, interrupts that get lost.

import CrossCPU
import Interrupts
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

nonisolated(unsafe) private var ran = 0
nonisolated(unsafe) private var isReleased = false

private func errorOf(_ call: () throws(CallError) -> Void) -> CallError? {
    do throws(CallError) {
        try call()
        return nil
    } catch { return error }
}

extension CrossCPUMachineTests {
    @Suite struct BadInputTests {
        @Test func whomNobodyCanCall() {
            let failure = SimulatedKernel.underSeeds(20, cpus: [1, 4]) { task in
                let count = CPUs.count
                withPreemptionOff { off in
                    for cpu in [-1, count, 255, 256, Int.max, Int.min] {
                        let error = errorOf { () throws(CallError) in
                            try CrossCPU.callFunction(on: cpu, off) { _, _ in }
                        }
                        SimulatedKernel.check(error == .noSuchCPU, "CPU \(cpu): \(String(describing: error))")
                    }
                    let last = count - 1
                    if last == 0 || last == CPU.index { return }
                    CPUs.set(last, online: false)
                    let single = errorOf { () throws(CallError) in
                        try CrossCPU.callFunction(on: last, off) { _, _ in }
                    }
                    let any = errorOf { () throws(CallError) in
                        try CrossCPU.callFunctionAny(CPUMask(last), off) { _, _ in }
                    }
                    let node = AsynchronousCall { _, _ in }
                    let own = errorOf { () throws(CallError) in try node.start(on: last) }
                    SimulatedKernel.check(
                        single == .offline && any == .offline && own == .offline, "offline CPUs")
                    let many = try? CrossCPU.callFunctionMany(CPUMask(last), wait: true, off) { _, _ in }
                    SimulatedKernel.check(many == 0, "an offline CPU was called")
                    CPUs.set(last, online: true)
                }
            }
            #expect(failure == nil)
        }

        @Test func waitingWithInterruptsOffIsRefused() {
            let failure = SimulatedKernel.underSeeds(20, cpus: [2]) { task in
                let before = CrossCPU.reportedWaits
                let error = withInterruptsOff { _ in
                    withPreemptionOff { off in
                        errorOf { () throws(CallError) in
                            try CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in }
                        }
                    }
                }
                SimulatedKernel.check(error == .wouldDeadlock && CrossCPU.reportedWaits == before + 1)
            }
            #expect(failure == nil)
        }

        /// The first call interrupt is lost: the sender reports the receiver, interrupts it again, and goes on.
        @Test func aLostInterruptIsReportedAndRepeated() {
            let failure = SimulatedKernel.underSeeds(100, cpus: [2, 4]) { task in
                unsafe ran = 0
                var lost = 0
                let machine = SimulatedCPU.current.machine
                machine.losesIPI = { _, vector in
                    if vector != Vector.callFunction.number || lost > 0 { return false }
                    lost += 1
                    return true
                }
                let limit = CrossCPU.waitLimit
                CrossCPU.setWaitLimit(200_000)
                let before = CrossCPU.reportedWaits
                withPreemptionOff { off in
                    _ = try? CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in unsafe ran += 1
                    }
                }
                CrossCPU.setWaitLimit(limit)
                machine.losesIPI = nil
                unsafe SimulatedKernel.check(ran == CPUs.count - 1, "\(ran) ran")
                // The receiver may have looked at its list on its own account, from its idle loop.
                SimulatedKernel.check(CrossCPU.reportedWaits - before <= 1, "reported more than once")
            }
            #expect(failure == nil)
        }

        /// One CPU is stuck in a function: who waits for it is told, and calls to the others go on.
        @Test func aFunctionThatDoesNotReturnHoldsUpNobodyElse() {
            let failure = SimulatedKernel.underSeeds(50, cpus: [3, 4]) { task in
                unsafe ran = 0
                unsafe isReleased = false
                let limit = CrossCPU.waitLimit
                CrossCPU.setWaitLimit(100_000)
                let before = CrossCPU.reportedWaits
                let stuck = CPUs.count - 1
                let rest = CPUMask(first: stuck)
                Thread.current.bind(to: rest)
                while CPU.index == stuck { Scheduler.yield(task) }
                SimulatedKernel.start { task in
                    Thread.current.bind(to: rest)
                    while CPU.index == stuck { Scheduler.yield(task) }
                    while CrossCPU.reportedWaits == before { SimulatedKernel.compute(1000) }
                    for _ in 0..<10 {
                        withPreemptionOff { off in
                            _ = try? CrossCPU.callFunctionMany(rest, wait: true, off) { _, _ in
                                unsafe ran += 1
                            }
                        }
                    }
                    unsafe isReleased = true
                }
                withPreemptionOff { off in
                    _ = try? CrossCPU.callFunction(on: stuck, off) { _, _ in
                        while unsafe !isReleased { Spin.pause() }
                    }
                }
                CrossCPU.setWaitLimit(limit)
                SimulatedKernel.check(CrossCPU.reportedWaits > before, "not reported")
                unsafe SimulatedKernel.check(ran == 10 * (stuck - 1), "\(ran) ran")
            }
            #expect(failure == nil)
        }
    }
}
