// Polls interrupt lines that came too often to be let alone: every 10 ms as long as there is one.

import Interrupts
import Machine
import Primitives
import Synchronization
import Time

public enum LinePolling {
    private static let period: UInt64 = 10_000_000
    private static let isRunning = Atomic<Bool>(false)

    private static let timer = HighResolutionTimer { @Sendable context, _ in LinePolling.turn(context) }

    /// Boot CPU, once timers work and before lines are requested.
    public static func install() {
        // Made now: a top half must not be the first to use it.
        timer.tryToCancel()
        unsafe IRQPollHook.start = { LinePolling.start() }
    }

    @_semantics("no_performance_analysis")
    private static func start() {
        if isRunning.exchange(true, ordering: .acquiringAndReleasing) { return }
        timer.start(after: period)
    }

    @_semantics("no_performance_analysis")
    private static func turn(_ context: borrowing HardInterruptContext) -> HighResolutionTimer.Next {
        // Before the look, so that whoever wants one after it starts the timer anew.
        isRunning.store(false, ordering: .sequentiallyConsistent)
        if !IRQ.poll(context) { return .done }
        isRunning.store(true, ordering: .sequentiallyConsistent)
        return .again(at: timer.expiry &+ period)
    }
}
