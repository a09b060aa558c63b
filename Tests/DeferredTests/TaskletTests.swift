// The rules of tasklets, on simulated machines under many seeds.

import Deferred
import Machine
import Primitives
import SimulatedKernel
import Synchronization
import Tasks
import Testing

/// A tasklet and what its handler notes. The handler gets the address of its owner.
@safe private final class Noted: @unchecked Sendable {
    let runs = Atomic<Int>(0)
    let inside = Atomic<Int>(0)
    let overlaps = Atomic<Int>(0)
    let claims = Atomic<Int>(0)
    let lastCPU = Atomic<Int>(-1)
    /// How often the handler schedules itself again.
    let again = Atomic<Int>(0)
    let done = Completion()
    let order: Order

    init(enabled: Bool = true, order: Order = Order()) {
        self.order = order
        unsafe pointer = .allocate(capacity: 1)
        let word = unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
        unsafe pointer.initialize(
            to: Tasklet("noted", enabled: enabled, word: word) { _, word in
                unsafe Unmanaged<Noted>.fromOpaque(UnsafeRawPointer(bitPattern: word)!)
                    ._withUnsafeGuaranteedRef {
                        $0.handle()
                    }
            })
    }

    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    private let pointer: UnsafeMutablePointer<Tasklet>

    func with<R>(_ body: (borrowing Tasklet) throws -> R) rethrows -> R { try unsafe body(pointer.pointee) }

    func schedule() { with { if $0.schedule() { claims.wrappingAdd(1, ordering: .relaxed) } } }

    private func handle() {
        if inside.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue != 0 {
            overlaps.wrappingAdd(1, ordering: .relaxed)
        }
        runs.wrappingAdd(1, ordering: .relaxed)
        lastCPU.store(CPU.index, ordering: .relaxed)
        order.note(self)
        for _ in 0..<4 { Spin.interleave() }
        inside.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        if again.load(ordering: .relaxed) > 0 {
            again.wrappingSubtract(1, ordering: .relaxed)
            schedule()
        }
    }
}

private final class Order: @unchecked Sendable {
    /// Appended to in soft IRQs of a machine with one CPU.
    var seen: [ObjectIdentifier] = []
    var isOn = false
    func note(_ tasklet: Noted) { if isOn { seen.append(ObjectIdentifier(tasklet)) } }
}

@Suite(.serialized) struct TaskletTests {
    @Test func everyScheduleRunsOnceAndNeverTwoAtOnce() {
        let failure = SimulatedKernel.underSeeds(300) { task in
            let noted = Noted()
            SimulatedKernel.threads(4, bound: true, task) { _, task in
                for _ in 0..<15 {
                    noted.schedule()
                    Spin.interleave()
                }
            }
            noted.with { $0.kill(task) }
            let runs = noted.runs.load(ordering: .relaxed)
            let claims = noted.claims.load(ordering: .relaxed)
            SimulatedKernel.check(runs == claims, "scheduled \(claims) times, ran \(runs) times")
            SimulatedKernel.check(noted.overlaps.load(ordering: .relaxed) == 0, "ran on two CPUs at once")
            SimulatedKernel.check(runs > 0, "never ran")
        }
        #expect(failure == nil)
    }

    @Test func topHalvesScheduleThem() {
        let failure = SimulatedKernel.underSeeds(300) { task in
            let noted = Noted()
            SimulatedKernel.handler = { _, _ in noted.schedule() }
            SimulatedKernel.threads(2, bound: true, task) { index, task in
                for _ in 0..<20 {
                    SimulatedKernel.interrupt(CPU.index)
                    Spin.interleave()
                }
            }
            SimulatedKernel.handler = nil
            noted.with { $0.kill(task) }
            let runs = noted.runs.load(ordering: .relaxed)
            let claims = noted.claims.load(ordering: .relaxed)
            SimulatedKernel.check(runs == claims && runs > 0, "scheduled \(claims), ran \(runs)")
        }
        #expect(failure == nil)
    }

    @Test func aDisabledOneStaysScheduledAndRunsWhereItWasScheduled() {
        let failure = SimulatedKernel.underSeeds(300, cpus: [2, 4]) { task in
            let noted = Noted(enabled: false)
            SimulatedKernel.threads(1, bound: true, task) { _, task in
                noted.with { SimulatedKernel.check($0.schedule(), "was scheduled already") }
                noted.with { SimulatedKernel.check(!$0.schedule(), "scheduled twice") }
            }
            SimulatedKernel.threads(2, bound: true, task) { index, task in
                if index == 0 {
                    for _ in 0..<50 { Spin.interleave() }
                    SimulatedKernel.check(noted.runs.load(ordering: .relaxed) == 0, "ran while disabled")
                    return
                }
                for _ in 0..<50 { Spin.interleave() }
            }
            SimulatedKernel.threads(2, bound: true, task) { index, task in
                if index == 1 { noted.with { try! $0.enable(task) } }
            }
            noted.with { $0.kill(task) }
            SimulatedKernel.check(noted.runs.load(ordering: .relaxed) == 1, "did not run once when enabled")
            SimulatedKernel.check(noted.lastCPU.load(ordering: .relaxed) == 0, "ran on another CPU")
        }
        #expect(failure == nil)
    }

    @Test func enablingMissesNoTaskletThatIsJustFoundDisabled() {
        let failure = SimulatedKernel.underSeeds(300, cpus: [2, 4]) { task in
            let noted = Noted(enabled: false)
            SimulatedKernel.threads(2, bound: true, task) { index, task in
                if index == 1 {
                    noted.schedule()
                } else {
                    for _ in 0..<4 { Spin.interleave() }
                    noted.with { try! $0.enable(task) }
                }
            }
            noted.with { $0.kill(task) }
            SimulatedKernel.check(noted.runs.load(ordering: .relaxed) == 1, "did not run once")
        }
        #expect(failure == nil)
    }

    @Test func nothingRunsBetweenDisableAndEnable() {
        let failure = SimulatedKernel.underSeeds(300) { task in
            let noted = Noted()
            SimulatedKernel.threads(3, bound: true, task) { index, task in
                for _ in 0..<10 {
                    if index == 0 {
                        noted.with { $0.disable(task) }
                        let before = noted.runs.load(ordering: .relaxed)
                        for _ in 0..<6 { Spin.interleave() }
                        let after = noted.runs.load(ordering: .relaxed)
                        SimulatedKernel.check(before == after, "ran while disabled")
                        SimulatedKernel.check(noted.inside.load(ordering: .relaxed) == 0, "still running")
                        noted.with { try! $0.enable(task) }
                    } else {
                        noted.schedule()
                        Spin.interleave()
                    }
                }
            }
            noted.with { $0.kill(task) }
            let runs = noted.runs.load(ordering: .relaxed)
            SimulatedKernel.check(runs == noted.claims.load(ordering: .relaxed), "lost or doubled")
        }
        #expect(failure == nil)
    }

    @Test func disablingTwiceTakesEnablingTwice() {
        let failure = SimulatedKernel.underSeeds(20) { task in
            let noted = Noted()
            noted.with {
                $0.disable()
                $0.disable(task)
                $0.schedule()
                try! $0.enable(task)
                for _ in 0..<30 { Spin.interleave() }
                SimulatedKernel.check(noted.runs.load(ordering: .relaxed) == 0, "ran while disabled once")
                try! $0.enable(task)
                $0.kill(task)
                SimulatedKernel.check(noted.runs.load(ordering: .relaxed) == 1, "did not run")
            }
        }
        #expect(failure == nil)
    }

    @Test func enablingOneThatIsEnabledIsAnError() {
        let failure = SimulatedKernel.underSeeds(5) { task in
            let noted = Noted()
            noted.with {
                do throws(Errno) {
                    try $0.enable(task)
                    SimulatedKernel.check(false, "enabled without having been disabled")
                } catch {
                    SimulatedKernel.check(error == .invalid, "wrong error")
                }
            }
            noted.schedule()
            noted.with { $0.kill(task) }
            SimulatedKernel.check(noted.runs.load(ordering: .relaxed) == 1, "does not run any more")
        }
        #expect(failure == nil)
    }

    @Test func oneThatSchedulesItselfRunsAgain() {
        let failure = SimulatedKernel.underSeeds(300) { task in
            let noted = Noted()
            noted.again.store(30, ordering: .relaxed)
            noted.schedule()
            while noted.runs.load(ordering: .relaxed) < 31 { Scheduler.yield(task) }
            noted.with { $0.kill(task) }
            SimulatedKernel.check(noted.runs.load(ordering: .relaxed) == 31, "ran another number of times")
        }
        #expect(failure == nil)
    }

    @Test func killEndsOneThatSchedulesItselfForEver() {
        let failure = SimulatedKernel.underSeeds(300) { task in
            let noted = Noted()
            noted.again.store(.max, ordering: .relaxed)
            noted.schedule()
            for _ in 0..<40 { Spin.interleave() }
            noted.with { $0.kill(task) }
            let runs = noted.runs.load(ordering: .relaxed)
            for _ in 0..<50 { Spin.interleave() }
            SimulatedKernel.check(noted.runs.load(ordering: .relaxed) == runs, "ran after it was killed")
            noted.with { SimulatedKernel.check(!$0.schedule(), "scheduled after it was killed") }
        }
        #expect(failure == nil)
    }

    @Test func killDropsADisabledOne() {
        let failure = SimulatedKernel.underSeeds(300) { task in
            let noted = Noted(enabled: false)
            SimulatedKernel.threads(2, bound: true, task) { index, _ in noted.schedule() }
            noted.with { $0.kill(task) }
            noted.with {
                SimulatedKernel.check(!$0.isScheduled && !$0.isRunning, "not idle after the kill")
            }
            SimulatedKernel.check(noted.runs.load(ordering: .relaxed) == 0, "ran although disabled")
        }
        #expect(failure == nil)
    }

    @Test func highOnesComeFirst() {
        let failure = SimulatedKernel.underSeeds(120, cpus: [1]) { task in
            let order = Order()
            let normal = (0..<3).map { _ in Noted(order: order) }
            let high = (0..<3).map { _ in Noted(order: order) }
            order.isOn = true
            withBottomHalvesOff { _ in
                for tasklet in normal { _ = tasklet.with { $0.schedule() } }
                for tasklet in high { _ = tasklet.with { $0.scheduleHigh() } }
            }
            for tasklet in normal + high { tasklet.with { $0.kill(task) } }
            let wanted = (high + normal).map { ObjectIdentifier($0) }
            SimulatedKernel.check(order.seen == wanted, "wrong order")
        }
        #expect(failure == nil)
    }
}
