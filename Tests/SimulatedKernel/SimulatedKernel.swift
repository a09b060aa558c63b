// The kernel from `Primitives` to `Time` on a simulated machine: what host tests run their threads in.

import CrossCPU
import Deferred
import Interrupts
import Machine
@_spi(ContextEntry) import Primitives
import Tasks
import Time

public enum SimulatedKernel {
    /// What vectors of a test's own run (32 ... 199), for tests of top halves.
    public typealias Handler = (Int, borrowing HardInterruptContext) -> Void

    /// Runs `main` in a kernel thread of a machine with `cpus` CPUs until it returns.
    /// - Returns: why the machine failed, nil if `main` returned.
    public static func run(
        cpus: Int, seed: UInt64, _ main: @escaping (borrowing TaskContext) -> Void
    ) -> String? {
        // The log is made on first use, which takes more stack than a fiber has.
        _ = KernelLog.written
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
            SoftInterrupts.enterCPU()
        }
        CPUs.set(cpu, online: true)
        Scheduler.idle()
    }

    private static func bootFirst(
        _ cpus: Int, _ machine: SimulatedMachine, _ main: @escaping (borrowing TaskContext) -> Void
    ) {
        Scheduler.boot(cpuCount: cpus)
        Scheduler.enterCPU()
        CPUs.setCount(cpus)
        CrossCPU.boot(cpuCount: cpus)
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
        installHotplug()
        unsafe DeferredHooks.raise = { @Sendable vector, cpu in
            SimulatedCPU.current.machine.cpus[cpu].raise(Vectors.softInterrupts + vector.rawValue)
        }
        do throws(Errno) {
            try CPUHotplug.boot()
            try SoftInterrupts.boot(cpuCount: cpus)
            try WorkQueues.boot()
            let thread = try Thread.create(name: "main") { task in
                while Scheduler.onlineCPUs.count < cpus { Scheduler.yield(task) }
                main(task)
                machine.finish()
            }
            thread.start()
        } catch {
            machine.fail("no memory for the first threads")
        }
    }

    /// How CPUs go and come back here: one that is off waits where it is, and goes on with its idle loop.
    private static func installHotplug() {
        unsafe CPUHotplug.powerOff = {
            let cpu = SimulatedCPU.current
            cpu.timerDeadline = .max
            cpu.forgetInterrupts()
            while cpu.machine.startRequests.remove(cpu.index) == nil { Spin.pause() }
            CPUs.set(cpu.index, online: true)
            Scheduler.reactivate(cpu.index)
        }
        unsafe CPUHotplug.startCPU = { cpu in
            SimulatedCPU.current.machine.startRequests.insert(cpu)
            while !CPUs.isOnline(cpu) || !Scheduler.onlineCPUs.contains(cpu) { Spin.pause() }
            return true
        }
        CPUHotplug.register(.timers, down: { @Sendable cpu, _ in ClockEvents.takeOver(from: cpu) })
    }

    private enum Vectors {
        static let reschedule: UInt8 = 252
        /// The first of ten that raise a soft IRQ each.
        static let softInterrupts: UInt8 = 200
    }

    /// What entry code does around a hard interrupt: counts it, and on the way out runs soft IRQs and reschedules.
    private static func interrupt(_ vector: Int) {
        PreemptCount.add(PreemptCount.hardInterrupt)
        if vector == Int(SimulatedCPU.timerVector) {
            ClockEvents.interrupt(HardInterruptContext())
        } else if vector == Int(Vectors.reschedule) {
            Scheduler.rescheduleInterrupt()
        } else if vector == Int(Vector.callFunction.number) {
            CrossCPU.functionInterrupt(HardInterruptContext())
        } else if vector == Int(Vector.invalidateTLB.number) {
            CrossCPU.translationInterrupt(HardInterruptContext())
        } else if vector >= Int(Vectors.softInterrupts),
            let raised = SoftInterrupt(rawValue: UInt8(vector) - Vectors.softInterrupts)
        {
            SoftInterrupts.raise(raised, HardInterruptContext())
        } else if let handler {
            handler(vector, HardInterruptContext())
        }
        _ = PreemptCount.subtractIsZero(PreemptCount.hardInterrupt)
        leaveInterrupt()
    }

    private static func leaveInterrupt() {
        let busy = PreemptCount.hardInterruptMask | PreemptCount.bottomHalfMask | PreemptCount.nmiMask
        if CPUArea.softInterruptsPending != 0, PreemptCount.value & busy == 0 {
            PreemptCount.add(PreemptCount.bottomHalf)
            SoftInterruptStack.runAtInterruptExit()
            InterruptFlag.disable()
            _ = PreemptCount.subtractIsZero(PreemptCount.bottomHalf)
        }
        if PreemptCount.value == 0 {
            unsafe PreemptionHook.reschedule?()
            InterruptFlag.disable()
        }
    }

    /// What vectors of a test's own run on this machine.
    public static var handler: Handler? {
        get { (SimulatedCPU.current.machine.attachment as? HandlerBox)?.handler }
        set { SimulatedCPU.current.machine.attachment = newValue.map { HandlerBox($0) } }
    }

    private final class HandlerBox {
        let handler: Handler
        init(_ handler: @escaping Handler) { self.handler = handler }
    }
}
