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
    }
}
