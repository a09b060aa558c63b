// `apus.bench=crosscpu`: what calls between CPUs, shootdowns and switches cost, in instructions of all CPUs together. Under
// `-icount` all CPUs take turns on one host thread and the time stamp counter counts what they all execute; a CPU that
// waits gives its turn away with each PAUSE, so waiting adds a few instructions a turn and no more. What the busy CPUs
// spin meanwhile is taken off, as it was from Linux's figures.

import CrossCPU
import Machine
import Primitives
import Synchronization
import Tasks

enum CrossCPUBench {
    /// When the called function was entered, by the counter.
    private static let entered = Atomic<UInt64>(0)
    private static let isOver = Atomic<Bool>(false)
    private static let turn = Atomic<Int>(0)
    /// Turns of all busy CPUs' loops, and what one costs.
    private static let spins = Atomic<UInt64>(0)
    nonisolated(unsafe) private static var spinCost: UInt64 = 0

    static func run(_ task: borrowing TaskContext) {
        Measurement.calibrate()
        guard CPUs.onlineCount > 1 else { return TestReport.line("bench: one CPU only") }
        Thread.current.bind(to: CPUMask(0))
        while CPU.index != 0 { Scheduler.yield(task) }
        one("call_wait_idle", "call_body_idle")
        noWait("call_nowait")
        many("call_many_idle")
        flushAll("flush_all_idle")
        busy(task) {
            one("call_wait_busy", "call_body_busy")
            many("call_many_busy")
            flushAll("flush_all_busy")
        }
        switches(task)
    }

    /// Lets the others settle: whoever was called goes back to sleep.
    private static func settle() { for _ in 0..<64 { Spin.pause() } }

    private static func one(_ whole: StaticString, _ body: StaticString) {
        var returned = Measurement()
        var reached = Measurement()
        withPreemptionOff { off in
            for _ in 0..<Measurement.rounds {
                settle()
                let whole = ticks {
                    try? CrossCPU.callFunction(on: 1, off) { _, _ in
                        CrossCPUBench.entered.store(TSC.read(), ordering: .relaxed)
                    }
                }
                returned.add(whole.ticks)
                reached.add(entered.load(ordering: .relaxed) &- whole.start)
            }
        }
        returned.report(whole)
        reached.report(body)
    }

    private static func noWait(_ name: StaticString) {
        settled(name) { off in
            try? CrossCPU.callFunction(on: 1, wait: false, off) { _, _ in }
        }
    }

    private static func many(_ name: StaticString) {
        settled(name) { off in
            _ = try? CrossCPU.callFunctionMany(CPUs.online, wait: true, off) { _, _ in }
        }
    }

    private static func flushAll(_ name: StaticString) {
        settled(name) { off in
            try? CrossCPU.onEachCPU(off) { _, _ in Translation.invalidateAll() }
        }
    }

    /// When `operation` began, and what it took without the others' spinning.
    @inline(__always)
    private static func ticks(_ operation: () -> Void) -> (start: UInt64, ticks: UInt64) {
        let before = spins.load(ordering: .relaxed)
        let start = TSC.read()
        operation()
        let end = TSC.read()
        let spun = spins.load(ordering: .relaxed) &- before
        return unsafe (start, end &- start &- spun &* spinCost)
    }

    /// Measures and reports `operation`, each time when the others have settled.
    @inline(__always)
    private static func settled(_ name: StaticString, _ operation: (borrowing PreemptionOff) -> Void) {
        var measurement = Measurement()
        withPreemptionOff { off in
            for _ in 0..<Measurement.rounds {
                settle()
                measurement.add(ticks { operation(off) }.ticks)
            }
        }
        measurement.report(name)
    }

    /// Runs `body` while a thread spins on each other CPU.
    private static func busy(_ task: borrowing TaskContext, _ body: () -> Void) {
        isOver.store(false, ordering: .relaxed)
        let done = Finished()
        var started = 0
        CPUs.online.forEach { cpu in
            if cpu == 0 { return }
            let thread = try? Thread.create(
                name: ThreadName("busy", number: cpu),
                start: { _ in
                    while !isOver.load(ordering: .relaxed) {
                        spins.wrappingAdd(1, ordering: .relaxed)
                        Spin.pause()
                    }
                    done.completion.complete()
                })
            guard let thread else { return }
            thread.bind(to: CPUMask(cpu))
            thread.start()
            started += 1
        }
        for _ in 0..<1000 { Scheduler.yield(task) }
        calibrateSpinning()
        body()
        unsafe spinCost = 0
        isOver.store(true, ordering: .relaxed)
        for _ in 0..<started { done.completion.wait(task) }
    }

    /// Finds what a turn of a busy CPU's loop costs: this one's own share of `settle` is its 64 PAUSEs.
    private static func calibrateSpinning() {
        unsafe spinCost = 0
        settle()
        let before = spins.load(ordering: .relaxed)
        let spent = ticks { settle() }.ticks
        let turns = spins.load(ordering: .relaxed) &- before
        if turns > 0 { unsafe spinCost = (spent &- 64) / turns }
    }

    /// Two threads of one CPU that yield to each other: a reading is two switches.
    private static func switches(_ task: borrowing TaskContext) {
        isOver.store(false, ordering: .relaxed)
        let done = Finished()
        let other = try? Thread.create(
            name: "switcher",
            start: { task in
                while !isOver.load(ordering: .relaxed) { Scheduler.yield(task) }
                done.completion.complete()
            })
        guard let other else { return }
        other.bind(to: CPUMask(0))
        other.start()
        Measurement.run("two_switches") { Scheduler.yield(task) }
        isOver.store(true, ordering: .relaxed)
        done.completion.wait(task)
    }
}
