// A counting semaphore.

import Primitives
import Synchronization

/// Permits that are taken and given back. `signal` from any context but NMI.
public struct Semaphore: ~Copyable, Sendable {
    private let queue = WaitQueue()
    private let permits: Atomic<UInt32>

    public init(_ permits: UInt32) { self.permits = Atomic(permits) }

    /// Takes a permit, waiting for one if need be. Throws `.restartSystem` for a signal if `interruptible`.
    public func wait(_ task: borrowing TaskContext, interruptible: Bool = true) throws(Errno) {
        try queue.wait(task, interruptible: interruptible, exclusive: true) { tryWait() }
    }

    /// Takes a permit if there is one. Any context.
    @_noAllocation
    public func tryWait() -> Bool {
        var seen = permits.load(ordering: .acquiring)
        while seen != 0 {
            let (exchanged, original) = permits.compareExchange(
                expected: seen, desired: seen - 1, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            seen = original
        }
        return false
    }

    /// Gives a permit back, or adds one.
    @_noAllocation
    public func signal() {
        permits.wrappingAdd(1, ordering: .releasing)
        queue.wakeOne()
    }
}
