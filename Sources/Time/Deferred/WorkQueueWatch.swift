// Looks after the work queues: every ten seconds, by a timer, since a pool that stalls cannot be trusted to do it.

import Deferred
import Machine
import Primitives

public enum WorkQueueWatch {
    private static let period: UInt64 = 10_000_000_000

    /// Starts looking. Once, on the boot CPU, after `Time.boot` and `WorkQueues.boot`.
    public static func start() {
        let timer = UnsafeMutablePointer<HighResolutionTimer>.allocate(capacity: 1)
        // Fresh memory that lives as long as the machine.
        unsafe timer.initialize(to: HighResolutionTimer { @Sendable _, _ in WorkQueueWatch.look() })
        unsafe timer.pointee.start(after: period)
    }

    /// A few locks a CPU; a report allocates nothing.
    @_semantics("no_performance_analysis")
    private static func look() -> HighResolutionTimer.Next {
        WorkQueues.watch(now: CycleClock.cycles)
        return .again(at: Clock.monotonic &+ period)
    }
}
