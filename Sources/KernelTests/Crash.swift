// Boots that end in a report: `apus.crash=NAME` breaks the kernel in one of these ways. The tool expects the text of
// the report (Sources/Tool/Tests/CrashStage.swift). A name that nobody knows is reported, and the boot goes on.

import CMachine
import Deferred
import Interrupts
import Machine
import Memory
import Primitives
import Tasks

public enum Crash {
    private static func `is`(_ name: [UInt8], _ text: StaticString) -> Bool {
        guard name.count == text.utf8CodeUnitCount else { return false }
        // As long as the name.
        for index in name.indices where unsafe name[index] != text.utf8Start[index] { return false }
        return true
    }

    /// Before there is memory: tables and stacks are the static ones.
    public static func runEarly(_ name: [UInt8]) {
        if `is`(name, "early-exception") {
            machine_load_early_table()
            machine_raise_invalid_opcode()
        }
        if `is`(name, "early-double-fault") { machine_lose_stack() }
    }

    /// Once the kernel's own page tables are in use.
    public static func runOnBootStack(_ name: [UInt8]) {
        if `is`(name, "boot-stack") { machine_overflow_stack() }
    }

    /// In the first thread.
    public static func run(_ name: [UInt8], _ task: borrowing TaskContext) {
        if `is`(name, "panic") { Panic.panic("this is a test") }
        if `is`(name, "locked") { SpinLock(0).withLock { _ in machine_raise_invalid_opcode() } }
        if `is`(name, "thread-stack") { machine_overflow_stack() }
        if `is`(name, "interrupt") { inInterrupt { @Sendable _, _ in machine_raise_invalid_opcode() } }
        if `is`(name, "interrupt-stack") { inInterrupt { @Sendable _, _ in machine_overflow_stack() } }
        if `is`(name, "nesting") { inNested() }
        if `is`(name, "soft-interrupt-stack") { inSoftInterrupt() }
        if `is`(name, "nmi-stack") { inNMI() }
        if `is`(name, "debug-stack") { inNarrow(4) { machine_raise_debug() } }
        if `is`(name, "machine-check-stack") { inNarrow(3) { machine_raise_machine_check() } }
        if `is`(name, "double-fault-stack") { inNarrow(1) { machine_lose_stack() } }
        if `is`(name, "double-fault") { machine_lose_stack() }
        if `is`(name, "machine-check") { machine_raise_machine_check() }
        printk(.error, "apus.crash: nothing of this name")
    }

    private static func inInterrupt(_ body: VectorHandler.Function) {
        Vectors.setHandler(Vector(245), VectorHandler(body))
        LocalAPIC.sendToSelf(vector: 245)
        Delay.seconds(1)
    }

    /// A handler that lets itself in again and again.
    private static func inNested() {
        inInterrupt { @Sendable _, _ in
            LocalAPIC.sendToSelf(vector: 245)
            InterruptFlag.enable()
            Delay.microseconds(100)
        }
    }

    private static func inSoftInterrupt() {
        SoftInterrupts.register(.irqPoll) { @Sendable _ in machine_overflow_stack() }
        withBottomHalvesOff { _ in SoftInterrupts.raise(.irqPoll) }
    }

    private static func inNMI() {
        _ = NonMaskable.addHandler { @Sendable _ in
            machine_overflow_stack()
            return true
        }
        withPreemptionOff { _ in LocalAPIC.sendNMI(to: CPU.apicID) }
        Delay.seconds(1)
    }

    /// Leaves an entry stack so little room that the entry code overflows it.
    private static func inNarrow(_ number: UInt32, _ body: () -> Void) {
        withInterruptsOff { _ in
            let top = UInt(cpu_entry_stack_top(UInt32(CPU.index), number))
            let base = (top &- 1) & ~(KernelStack.size &- 1)
            cpu_shrink_entry_stack(number, base, 64)
            body()
        }
    }
}
