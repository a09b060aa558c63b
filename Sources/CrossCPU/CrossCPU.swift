// The kernel's two call queues: ordinary calls, and translations to be forgotten. Two, so that a TLB shootdown
// sent with spin locks held never waits behind a function that wants one of them.

import Interrupts
import Machine
import Memory
import Primitives

public enum CrossCPU {
    /// Calls of functions, vector 0xfb. Set once at boot, before other CPUs run; so is the next.
    nonisolated(unsafe) private static var functionQueue: CallQueue? = nil
    /// TLB invalidations, vector 0xfd.
    nonisolated(unsafe) private static var translationQueue: CallQueue? = nil

    /// Runs `function(argument)` on each online CPU of `mask` except the calling one; see `CallQueue.call`.
    public static func call(
        _ mask: CPUMask, wait: Bool, _ off: borrowing PreemptionOff, _ argument: UInt = 0,
        _ function: @escaping CallFunctionBody
    ) {
        unsafe functionQueue?.call(mask.intersection(CPUs.online), wait: wait, off, argument, function)
    }

    fileprivate static func flushFunctions(_ context: borrowing HardInterruptContext) {
        unsafe functionQueue?.flush(context)
    }

    fileprivate static func flushTranslations(_ context: borrowing HardInterruptContext) {
        unsafe translationQueue?.flush(context)
    }

    /// Makes the queues and takes their vectors. Boot CPU, after `CPUs.setCount`.
    static func start() {
        unsafe functionQueue = CallQueue(cpus: CPUs.count) {
            InterprocessorInterrupts.send(.callFunction, to: $0)
        }
        unsafe translationQueue = CallQueue(cpus: CPUs.count) {
            InterprocessorInterrupts.send(.invalidateTLB, to: $0)
        }
        Vectors.setHandler(
            .callFunction, VectorHandler { @Sendable context, _ in CrossCPU.flushFunctions(context) })
        Vectors.setHandler(
            .invalidateTLB, VectorHandler { @Sendable context, _ in CrossCPU.flushTranslations(context) })
        // Before other CPUs run.
        unsafe TLBHooks.shootdown = { start, end, word0, word1, word2, word3 in
            var mask = CPUMask()
            mask[word: 0] = word0
            mask[word: 1] = word1
            mask[word: 2] = word2
            mask[word: 3] = word3
            CrossCPU.shootdown(TLBRange(start: start, end: end), mask)
        }
    }

    /// What a CPU is asked to forget (with `end` 0: which address space to leave, `start`); lives on the sender's stack until all have answered.
    private struct TLBRange {
        var start: UInt
        var end: UInt
    }

    /// Makes the online CPUs of `mask` forget a range, and waits for them. Interrupts on, preemption off.
    private static func shootdown(_ range: TLBRange, _ mask: CPUMask) {
        var range = range
        let targets = mask.intersection(CPUs.online)
        if targets.isEmpty { return }
        withPreemptionOff { off in
            // The call waits, so the range outlives its use on the other CPUs.
            unsafe withUnsafePointer(to: &range) {
                unsafe translationQueue?.call(targets, wait: true, off, UInt(bitPattern: $0)) { _, address in
                    // The sender's range; the sender waits.
                    let range = unsafe UnsafePointer<TLBRange>(bitPattern: address)!
                    if unsafe range.pointee.end == 0 {
                        withInterruptsOff { off in unsafe AddressSpace.leave(range.pointee.start, off) }
                    } else {
                        unsafe TLBHooks.invalidateHere(range.pointee.start, range.pointee.end)
                    }
                }
            }
        }
    }
}
