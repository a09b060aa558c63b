// What is told of a CPU that does not answer: who waits for it and for what, what it runs, its backtrace.

import Interrupts
import Machine
import Primitives
import Synchronization
import Tasks

enum CallReport {
    /// Interrupts on, preemption off; takes long.
    static func write(
        _ queue: CallQueue, _ node: CallSingleData.Pointer, _ cpu: Int, waited: UInt64
    ) {
        _ = unsafe CrossCPUState.current.pointee.reports.wrappingAdd(1, ordering: .relaxed)
        let function = unsafe address(node.pointee.function)
        printk(
            .alert,
            "crosscpu: CPU \(CPU.index) has waited \(waited / 1_000_000) ms for CPU \(cpu) to run \(KernelNames.name(function)) (0x\(hex: unsafe node.pointee.argument))"
        )
        let (isQueued, running) = queue.rows.withRemote(cpu) {
            unsafe (!$0.list.isEmpty, $0.running.load(ordering: .relaxed))
        }
        if running != 0 {
            printk(.alert, "crosscpu: CPU \(cpu) is in \(KernelNames.name(running)) for another CPU")
        }
        if isQueued { printk(.alert, "crosscpu: CPU \(cpu) has not looked; interrupting it again") }
        if let thread = Scheduler.runningThread(on: cpu) {
            printk(
                .alert,
                "crosscpu: CPU \(cpu) runs thread \(thread.identifier) \(thread.name.bytes.span.extracting(0..<thread.name.count))"
            )
        }
        CPUBacktrace.request(CPUMask(cpu))
    }

    private static func address(_ function: CallFunctionBody?) -> UInt {
        guard let function else { return 0 }
        return unsafe unsafeBitCast(function, to: UInt.self)
    }

    /// A call that waits was asked for with interrupts off, and refused.
    @inline(never)
    static func writeDeadlock() {
        _ = unsafe CrossCPUState.current.pointee.reports.wrappingAdd(1, ordering: .relaxed)
        printk(.alert, "crosscpu: CPU \(CPU.index) would wait for others with interrupts off: call refused")
        CPUBacktrace.printHere()
    }
}
