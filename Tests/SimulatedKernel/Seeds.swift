// Running one test under many seeds.

import Foundation
import struct Tasks.Thread
import Machine
import Primitives
import Tasks
import Time

extension SimulatedKernel {
    /// Runs `main` on machines of 1, 2 and 4 CPUs (or as given) under `seeds` seeds each.
    /// - Returns: the first failure with the seed that replays it, nil if there was none.
    ///
    /// `APUS_SEED=N` in the environment replays that seed only, `APUS_SEEDS=N` tries N times as many.
    public static func underSeeds(
        _ seeds: UInt64, cpus: [Int] = [1, 2, 4], _ main: @escaping (borrowing TaskContext) -> Void
    ) -> String? {
        let environment = ProcessInfo.processInfo.environment
        var range = 0..<seeds
        if let only = environment["APUS_SEED"].flatMap({ UInt64($0) }) {
            range = only..<only + 1
        } else if let times = environment["APUS_SEEDS"].flatMap({ UInt64($0) }) {
            range = 0..<seeds * times
        }
        for count in cpus {
            for seed in range {
                if let failure = run(cpus: count, seed: seed, main) { return failure }
            }
        }
        return nil
    }

    /// Fails the simulated machine, and so the test, unless `condition` holds.
    public static func check(
        _ condition: @autoclosure () -> Bool, _ what: @autoclosure () -> String = "a check failed",
        line: Int = #line
    ) {
        if condition() { return }
        SimulatedCPU.current.machine.fail("line \(line): \(what())")
    }

    /// Starts `count` threads that run `body(index)`, and waits until all have returned; with `bound` each on one CPU,
    /// in turn.
    public static func threads(
        _ count: Int, bound: Bool = false, _ task: borrowing TaskContext, name: ThreadName = "test",
        _ body: @escaping (Int, borrowing TaskContext) -> Void
    ) {
        let done = Finished()
        let cpus = SimulatedCPU.current.machine.cpus.count
        for index in 0..<count {
            start(name, on: bound ? CPUMask(index % cpus) : nil) { task in
                body(index, task)
                done.completion.complete()
            }
        }
        for _ in 0..<count { done.completion.wait(task) }
    }

    /// Makes and starts a thread, bound to `mask` if given.
    @discardableResult
    public static func start(
        _ name: ThreadName = "test", on mask: CPUMask? = nil,
        _ body: @escaping (borrowing TaskContext) -> Void
    ) -> Thread {
        do throws(Errno) {
            let thread = try Thread.create(name: name, start: body)
            if let mask { thread.bind(to: mask) }
            thread.start()
            return thread
        } catch {
            SimulatedCPU.current.machine.fail("a thread could not be made: \(error)")
        }
    }

    private final class Finished: Sendable {
        let completion = Completion()
    }

    /// Lets the running thread compute for about `nanoseconds`, interruptible all the time.
    public static func compute(_ nanoseconds: UInt64) {
        let end = CycleClock.now &+ nanoseconds
        while CycleClock.now < end { Spin.interleave() }
    }

    /// Lets the running thread compute until `isOver`, in long steps.
    public static func hog(until isOver: () -> Bool) {
        while !isOver() { SimulatedCPU.current.machine.work(20_000) }
    }

    /// A number below `bound` from the machine's dice.
    public static func random(_ bound: UInt64) -> UInt64 { SimulatedCPU.current.machine.random.below(bound) }

    /// Raises a device's interrupt on a CPU; `handler` runs there as its top half.
    public static func interrupt(_ cpu: Int, vector: UInt8 = 64) {
        SimulatedCPU.current.machine.cpus[cpu].raise(vector)
    }
}

extension SimulatedKernel {
    /// Sleeps until the machine's clock shows `time`.
    public static func sleep(until time: UInt64, _ task: borrowing TaskContext) {
        do throws(Errno) {
            try Thread.sleep(until: Deadline(at: time), interruptible: false, task)
        } catch {
            SimulatedCPU.current.machine.fail("an uninterruptible sleep was interrupted")
        }
    }
}
