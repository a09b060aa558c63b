// The kernel from `Primitives` to `Time` on a simulated machine: what host tests run their threads in.

import CrossCPU
import Deferred
import Machine
@_spi(ContextEntry) import Primitives
import Tasks
import Time

public enum SimulatedKernel {
    /// Runs `main` in a kernel thread of a machine with `cpus` CPUs until it returns.
    /// - Returns: why the machine failed, nil if `main` returned.
    public static func run(
        cpus: Int, seed: UInt64, _ main: @escaping (borrowing TaskContext) -> Void
    ) -> String? {
        let machine = SimulatedMachine(
            cpuCount: cpus, seed: seed, memory: SimulatedMemory(byteCount: 1 << 20))
        machine.interruptEntry = { interrupt(Int($0)) }
        let isBooted = Flag()
        machine.run { cpu in boot(cpu, cpus, isBooted, machine, main) }
        return machine.failure
    }

    private final class Flag {
        var value = false
    }

    /// The boot of one CPU: the first makes everything, the others wait for it.
    private static func boot(
        _ cpu: Int, _ cpus: Int, _ isBooted: Flag, _ machine: SimulatedMachine,
        _ main: @escaping (borrowing TaskContext) -> Void
    ) {
        InterruptFlag.disable()
        if cpu == 0 {
            bootFirst(cpus, machine, main)
            isBooted.value = true
        } else {
            while !isBooted.value { Spin.pause() }
            Scheduler.enterCPU()
        }
        Scheduler.idle()
    }

    private static func bootFirst(
        _ cpus: Int, _ machine: SimulatedMachine, _ main: @escaping (borrowing TaskContext) -> Void
    ) {
        Scheduler.boot(cpuCount: cpus)
        Scheduler.enterCPU()
        Time.boot(cpuCount: cpus)
        // The hooks are the same for every machine, and find theirs themselves.
        unsafe TaskHooks.sendReschedule = { cpu in
            SimulatedCPU.current.machine.cpus[Int(cpu)].raise(Vectors.reschedule)
        }
        unsafe TimeHooks.setEvent = { @Sendable time in SimulatedCPU.current.timerDeadline = time }
        unsafe TimeHooks.refreshOthers = { @Sendable in
            for cpu in SimulatedCPU.current.machine.cpus where cpu !== SimulatedCPU.current {
                cpu.raise(SimulatedCPU.timerVector)
            }
        }
        do throws(Errno) {
            try SoftInterrupts.boot(cpuCount: cpus)
            let thread = try Thread.create(name: "main") { task in
                main(task)
                machine.finish()
            }
            thread.start()
        } catch {
            machine.fail("no memory for the first threads")
        }
    }

    private enum Vectors {
        static let reschedule: UInt8 = 252
    }

    /// What entry code does around a hard interrupt: counts it, and on the way out runs soft IRQs and reschedules.
    private static func interrupt(_ vector: Int) {
        PreemptCount.add(PreemptCount.hardInterrupt)
        if vector == Int(SimulatedCPU.timerVector) {
            ClockEvents.interrupt(HardInterruptContext())
        } else if vector == Int(Vectors.reschedule) {
            Scheduler.rescheduleInterrupt()
        } else {
            unsafe handler?(vector, HardInterruptContext())
        }
        _ = PreemptCount.subtractIsZero(PreemptCount.hardInterrupt)
        leaveInterrupt()
    }

    private static func leaveInterrupt() {
        let busy = PreemptCount.hardInterruptMask | PreemptCount.bottomHalfMask | PreemptCount.nmiMask
        if CPUArea.softInterruptsPending != 0, PreemptCount.value & busy == 0 {
            PreemptCount.add(PreemptCount.bottomHalf)
            unsafe PreemptionHook.softInterrupts?()
            InterruptFlag.disable()
            _ = PreemptCount.subtractIsZero(PreemptCount.bottomHalf)
        }
        if PreemptCount.value == 0 {
            unsafe PreemptionHook.reschedule?()
            InterruptFlag.disable()
        }
    }

    /// What other vectors run, for tests of top halves.
    public typealias Handler = (Int, borrowing HardInterruptContext) -> Void
    nonisolated(unsafe) public static var handler: Handler? = nil
}
