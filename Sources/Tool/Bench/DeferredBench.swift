// Instructions per operation of soft IRQs, tasklets and work queues.
//
// The machine has 1 CPU and runs under -icount shift=0,sleep=off, where the time-stamp counter is the number of
// instructions executed. Only the kernel can measure these, so Linux's figures were taken once with a module in Debian's
// 6.1.192-2, mitigations off, and are recorded here.
import Foundation

/// The measurement of deferred work.
enum DeferredBench {
    static let rows = [
        BenchRow(name: "bh_off_on", title: "bottom halves off and on", linux: 22, limit: 10),
        BenchRow(name: "softirq_raise_run", title: "soft IRQ raised, run as enabled", linux: 177, limit: 80),
        BenchRow(name: "tasklet_whole", title: "tasklet scheduled and run, whole", linux: 297, limit: 130),
        BenchRow(name: "tasklet_irq_to_body", title: "tasklet, interrupt to body", linux: 213, limit: 100),
        BenchRow(name: "tasklet_task_to_body", title: "tasklet, task to body", linux: 3617, limit: 1200),
        BenchRow(name: "work_to_body", title: "work queued to body", linux: 3110, limit: 1000),
        BenchRow(name: "work_there_and_back", title: "work there and back", linux: 5337, limit: 1800),
        BenchRow(name: "work_unbound_to_body", title: "unbound work queued to body", linux: 3220),
        BenchRow(
            name: "work_unbound_there_and_back", title: "unbound work there and back", linux: 5444),
        BenchRow(name: "work_of_1000", title: "each of 1,000 works, flushed", linux: 694, limit: 250),
        BenchRow(name: "delayed_work_arm", title: "delayed work: arm", linux: 214, limit: 110),
        BenchRow(name: "delayed_work_modify", title: "delayed work: modify", linux: 394, limit: 180),
        BenchRow(name: "delayed_work_cancel", title: "delayed work: cancel", linux: 204, limit: 100),
        BenchRow(
            name: "thread_create_stop", title: "kernel thread created and stopped", linux: 39844,
            limit: 10000),
    ]

    private static let program = BenchProgram(name: "interrupts")

    /// Measures, prints a table, and says whether each row is within its limit.
    static func run() async throws -> Bool {
        try await program.makeRamdisk()
        Progress.step("booting Apus")
        var machine = VirtualMachine()
        machine.cpus = 1
        machine.append = "quiet apus.bench=deferred"
        machine.ramdisk = program.ramdisk
        machine.extraArguments = VirtualMachine.testPort
        let readings = try await machine.measure(log: "deferred")
        print("instructions per operation: minimum, median, 99th percentile of 2,000")
        print("(r: Linux's medians, recorded)")
        return BenchTable(rows: rows).show(readings)
    }
}
