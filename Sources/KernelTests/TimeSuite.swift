// Timers on the real machine, on as many CPUs as there are.

import Machine
import Primitives
import Synchronization
import Tasks
import Time

/// A timer and what its function notes. Found by its address; kept until the timer is idle for good.
@safe private final class NotedTimer: @unchecked Sendable {
    let runs = Atomic<Int>(0)
    let early = Atomic<Int>(0)
    let elsewhere = Atomic<Int>(0)
    let inside = Atomic<Int>(0)
    let overlaps = Atomic<Int>(0)
    /// How often it was started less how often it was deleted.
    let balance = Atomic<Int>(0)
    /// The jiffy before which it must not run, and the CPU where it should, -1 for any.
    let due = Atomic<UInt64>(0)
    let wantedCPU = Atomic<Int>(-1)
    private let pointer: UnsafeMutablePointer<Timer>

    init(_ flags: Timer.Flags = []) {
        unsafe pointer = .allocate(capacity: 1)
        let word = unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
        unsafe pointer.initialize(
            to: Timer(flags, word: word) { @Sendable _, word in
                unsafe Unmanaged<NotedTimer>.fromOpaque(UnsafeRawPointer(bitPattern: word).unsafelyUnwrapped)
                    ._withUnsafeGuaranteedRef { $0.run() }
            })
    }

    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    func with<R>(_ use: (borrowing Timer) -> R) -> R { use(unsafe pointer.pointee) }

    private func run() {
        if inside.exchange(1, ordering: .acquiring) != 0 { overlaps.wrappingAdd(1, ordering: .relaxed) }
        runs.wrappingAdd(1, ordering: .relaxed)
        if Jiffies.now < due.load(ordering: .relaxed) { early.wrappingAdd(1, ordering: .relaxed) }
        let wanted = wantedCPU.load(ordering: .relaxed)
        if wanted >= 0, wanted != CPU.index { elsewhere.wrappingAdd(1, ordering: .relaxed) }
        inside.store(0, ordering: .releasing)
    }

    func check(_ check: inout Checker, runs expected: Int) {
        check.expect(runs.load(ordering: .relaxed), equals: expected, "runs")
        check.expect(early.load(ordering: .relaxed), equals: 0, "early")
        check.expect(overlaps.load(ordering: .relaxed), equals: 0, "runs at the same time as another")
        check.expect(elsewhere.load(ordering: .relaxed), equals: 0, "runs on a wrong CPU")
    }
}

extension TestSuite {
    static let time = TestSuite(
        "time",
        [
            TestCase("timers of all CPUs fire once, not early, where they were started") { task, check in
                let count = 40
                let timers = (0..<count * CPUs.count).map { _ in NotedTimer() }
                runOnEachCPU(task, &check) { cpu, _ in
                    for index in 0..<count {
                        let noted = timers[cpu * count + index]
                        let jiffy = Jiffies.now &+ UInt64(index % 13)
                        noted.due.store(jiffy, ordering: .relaxed)
                        noted.wantedCPU.store(cpu, ordering: .relaxed)
                        noted.with { $0.add(at: jiffy) }
                    }
                }
                Thread.sleep(for: 20 * Jiffies.length, task)
                for cpu in 0..<CPUs.count where CPUs.isOnline(cpu) {
                    for index in 0..<count { timers[cpu * count + index].check(&check, runs: 1) }
                }
            },
            TestCase("a timer is put on each CPU from here") { task, check in
                for cpu in 0..<CPUs.count where CPUs.isOnline(cpu) {
                    let noted = NotedTimer(.pinned)
                    let jiffy = Jiffies.now &+ 2
                    noted.due.store(jiffy, ordering: .relaxed)
                    noted.wantedCPU.store(cpu, ordering: .relaxed)
                    noted.with { $0.add(at: jiffy, on: cpu) }
                    let end = Jiffies.now &+ 2000
                    while noted.runs.load(ordering: .acquiring) == 0, Jiffies.now < end {
                        Thread.sleep(for: Jiffies.length, task)
                    }
                    noted.with { _ = $0.deleteSync() }
                    noted.check(&check, runs: 1)
                }
            },
            TestCase("started, moved and deleted by all CPUs at once") { task, check in
                let shared = NotedTimer()
                runOnEachCPU(task, &check) { cpu, _ in
                    for round in 0..<2000 {
                        switch (round &* 7 &+ cpu) % 3 {
                        case 0:
                            if shared.with({ $0.delete() }) {
                                shared.balance.wrappingSubtract(1, ordering: .relaxed)
                            }
                        case 1: _ = shared.with { $0.modifyIfPending(to: Jiffies.now &+ 1) }
                        default:
                            if !shared.with({ $0.modify(to: Jiffies.now) }) {
                                shared.balance.wrappingAdd(1, ordering: .relaxed)
                            }
                        }
                    }
                }
                if shared.with({ $0.deleteSync() }) { shared.balance.wrappingSubtract(1, ordering: .relaxed) }
                shared.check(&check, runs: shared.balance.load(ordering: .relaxed))
            },
        ])
}
