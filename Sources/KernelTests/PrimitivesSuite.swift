// The primitives on the real machine.

import Machine
import Primitives

extension TestSuite {
    static let primitives = TestSuite(
        "primitives",
        [
            TestCase("interrupts off nests and is put back") { _, check in
                let before = InterruptFlag.isEnabled
                withInterruptsOff { _ in
                    check.expect(!InterruptFlag.isEnabled, "interrupts on inside")
                    withInterruptsOff { _ in
                        check.expect(!InterruptFlag.isEnabled, "interrupts on in the inner one")
                    }
                    check.expect(!InterruptFlag.isEnabled, "interrupts on after the inner one")
                }
                check.expect(InterruptFlag.isEnabled == before, "flag not put back")
            },
            TestCase("preemption count is balanced by guards and locks") { _, check in
                let before = PreemptCount.value & ~PreemptCount.noReschedule
                let lock = SpinLock(1)
                withPreemptionOff { _ in
                    lock.withLock { value in
                        check.expect(lock.holderCPU == CPU.index, "holder is not this CPU")
                        check.expect(
                            PreemptCount.value & ~PreemptCount.noReschedule, equals: before + 2,
                            "count inside")
                        value += 1
                    }
                }
                check.expect(lock.holderCPU == nil, "holder kept after release")
                check.expect(PreemptCount.value & ~PreemptCount.noReschedule, equals: before, "count after")
            },
        ])
}

public enum KernelSuites {
    private static let usual: [TestSuite] = [
        .primitives, .interrupts, .interruptLines, .messages, .tasks, .crossCPU, .deferred, .time,
    ]

    #if APUS_DEBUG_LOCKS
        /// The watch over locks comes last: it says what all the others did wrong.
        public static let all = usual + [.lockdep]
    #else
        public static let all = usual
    #endif
}
