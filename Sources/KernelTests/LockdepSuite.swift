// The debug build's watch over locks: each mistake is made once on purpose, and must be reported with both places; nothing
// else may have been reported since the boot.

#if APUS_DEBUG_LOCKS
    import CrossCPU
    import Deferred
    import Machine
    import Primitives
    import Synchronization
    import Tasks

    /// Locks of the mistakes, each of a class of its own.
    private enum Locks {
        static let first = SpinLock(0)
        static let second = SpinLock(0)
        static let third = SpinLock(0)
        static let fourth = SpinLock(0)
        static let interrupted = SpinLock(0)
        static let bottomHalf = SpinLock(0)
        static let inTopHalf = SpinLock(0)
        static let behind = SpinLock(0)
        static let plain = SpinLock(0)
        static let mutex = Tasks.Mutex(0)

        static let bottomHalfRan = Completion()
        static let tasklet = Tasklet("lockdep test") { _, _ in
            Locks.bottomHalf.withLock { _ in }
            Locks.bottomHalfRan.complete()
        }

        static func pair() -> [PairLock] { [PairLock(), PairLock()] }
    }

    private final class PairLock: Sendable {
        let lock = SpinLock(0)
    }

    /// Makes a mistake, and checks that it is reported so, with `traces` backtraces.
    private func expect(
        _ kind: LockReport.Kind?, _ traces: Int, _ check: inout Checker, _ mistake: () -> Void
    ) {
        let (got, shown) = LockReport.provoke(mistake)
        check.expect(Int(got?.rawValue ?? 255), equals: Int(kind?.rawValue ?? 255), "kind of report")
        check.expect(shown, equals: traces, "backtraces shown")
    }

    /// What is no mistake.
    private func noReport(_ check: inout Checker, _ body: (inout Checker) -> Void) {
        let (got, _) = LockReport.provoke { body(&check) }
        check.expect(got == nil, "a report, kind \(got?.rawValue ?? 0)")
    }

    /// Runs `body` on this CPU as a hard interrupt.
    private func inHardInterrupt(_ check: inout Checker, _ body: @escaping CallFunctionBody) {
        withPreemptionOff { off in
            do throws(CallError) { try CrossCPU.callFunction(on: CPU.index, off, 0, body) } catch {
                check.expect(false, "refused: \(error.rawValue)")
            }
        }
    }

    extension TestSuite {
        static let lockdep = TestSuite("lockdep", orderCases + interruptCases + sectionCases + [nothingElse])

        private static let orderCases = [
            TestCase("two locks in both orders: both places are shown, once") { _, check in
                expect(nil, 0, &check) { Locks.first.withLock { _ in Locks.second.withLock { _ in } } }
                expect(.cycle, 2, &check) { Locks.second.withLock { _ in Locks.first.withLock { _ in } } }
                expect(nil, 0, &check) { Locks.second.withLock { _ in Locks.first.withLock { _ in } } }
            },
            TestCase("a circle of three locks shows all three steps") { _, check in
                expect(nil, 0, &check) { Locks.second.withLock { _ in Locks.third.withLock { _ in } } }
                expect(nil, 0, &check) { Locks.third.withLock { _ in Locks.fourth.withLock { _ in } } }
                expect(.cycle, 3, &check) { Locks.fourth.withLock { _ in Locks.second.withLock { _ in } } }
            },
            TestCase("two locks of one class in both orders; in one order always is no mistake") { _, check in
                let pair = Locks.pair()
                for _ in 0..<2 {
                    expect(nil, 0, &check) { pair[0].lock.withLock { _ in pair[1].lock.withLock { _ in } } }
                }
                expect(.bothOrders, 2, &check) {
                    pair[1].lock.withLock { _ in pair[0].lock.withLock { _ in } }
                }
            },
            TestCase("taking a lock only if it is free can complete no circle") { _, check in
                let outer = SpinLock(0)
                let inner = SpinLock(0)
                expect(nil, 0, &check) { outer.withLock { _ in inner.withLock { _ in } } }
                expect(nil, 0, &check) { inner.withLock { _ in _ = outer.tryWithLock { $0 } } }
            },
        ]

        private static let interruptCases = [
            TestCase("a lock of a top half held with interrupts on") { task, check in
                noReport(&check) { check in
                    inHardInterrupt(&check) { _, _ in Locks.interrupted.withLockInterruptsOff { _, _ in } }
                }
                expect(.interrupted, 2, &check) { Locks.interrupted.withLock { _ in } }
            },
            TestCase("a lock of a bottom half held with bottom halves on") { task, check in
                Locks.tasklet.schedule()
                Locks.bottomHalfRan.wait(task)
                expect(nil, 0, &check) { Locks.bottomHalf.withLockBottomHalvesOff { _, _ in } }
                expect(.interrupted, 2, &check) { Locks.bottomHalf.withLock { _ in } }
                Locks.tasklet.kill(task)
            },
            TestCase("a lock of a top half that waits for one held with interrupts on") { _, check in
                noReport(&check) { check in
                    inHardInterrupt(&check) { _, _ in Locks.inTopHalf.withLockInterruptsOff { _, _ in } }
                }
                expect(nil, 0, &check) { Locks.behind.withLock { _ in } }
                expect(.interruptedBehind, 3, &check) {
                    Locks.inTopHalf.withLockInterruptsOff { _, off in Locks.behind.withLock(off) { _ in } }
                }
            },
        ]

        private static let sectionCases = [
            TestCase("sleeping with a lock held") { task, check in
                expect(.sleepsHoldingLock, 2, &check) {
                    Locks.plain.withLock { _ in Locks.mutex.withLock(task) { _ in } }
                }
            },
            TestCase("sleeping with preemption off, or with interrupts off") { task, check in
                expect(.sleepsWithPreemptionOff, 2, &check) {
                    withPreemptionOff { _ in Locks.mutex.withLock(task) { _ in } }
                }
                expect(.sleepsWithPreemptionOff, 2, &check) {
                    withBottomHalvesOff { _ in Locks.mutex.withLock(task) { _ in } }
                }
                expect(.sleepsWithInterruptsOff, 2, &check) {
                    withInterruptsOff { _ in Locks.mutex.withLock(task) { _ in } }
                }
                expect(nil, 0, &check) { Locks.mutex.withLock(task) { _ in } }
            },
            TestCase("interrupts off for long") { _, check in
                let millisecond: UInt64 = 1_000_000
                let limit = Lockdep.setInterruptsOffLimit(CycleClock.cycles(nanoseconds: millisecond))
                expect(.interruptsOffTooLong, 2, &check) {
                    withInterruptsOff { _ in
                        let end = CycleClock.now &+ 2 * millisecond
                        while CycleClock.now < end { Spin.pause() }
                    }
                }
                Lockdep.setInterruptsOffLimit(limit)
            },
        ]

        private static let nothingElse = TestCase("nothing else was reported since the boot") { _, check in
            check.expect(LockReport.unexpected, equals: 0, "reports")
        }
    }
#endif
