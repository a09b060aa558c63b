// Timers whose function does more than a top half may.

import Deferred
import Machine
import Primitives
import Synchronization

/// Calls a function at a given time in soft-IRQ context, where memory may be given back: an interrupt at that time schedules
/// a tasklet (HI), which runs as the interrupt ends. By the monotonic clock; never early. Whoever drops it calls `end` first.
@safe public final class SoftTimer: @unchecked Sendable {
    /// Called with the timer's word. Mark it `@Sendable` so that it needs no context.
    public typealias Function =
        @convention(thin) @Sendable (borrowing SoftInterruptContext, UInt) -> HighResolutionTimer.Next

    private struct Core: ~Copyable {
        let timer: HighResolutionTimer
        let tasklet: Tasklet
        /// Between `start` and `stop`.
        let isOn = Atomic<Bool>(false)
        let word: UInt
        let function: Function
    }

    /// Of its own, so that both parts know where it is before they begin.
    private let core: UnsafeMutablePointer<Core>
    private let hasEnded = Atomic<Bool>(false)

    /// - Parameter name: for reports.
    public init(_ name: StaticString, word: UInt = 0, _ function: @escaping Function) {
        let memory = UnsafeMutablePointer<Core>.allocate(capacity: 1)
        let own = UInt(bitPattern: memory)
        // Fresh memory.
        unsafe memory.initialize(
            to: Core(
                timer: HighResolutionTimer(word: own) { @Sendable _, word in SoftTimer.expire(word) },
                tasklet: Tasklet(name, word: own) { @Sendable context, word in SoftTimer.run(context, word) },
                word: word, function: function))
        unsafe core = unsafe memory
    }

    @_noAllocation
    private static func expire(_ word: UInt) -> HighResolutionTimer.Next {
        // The core outlives its timer: see `end`.
        let core = unsafe UnsafeMutablePointer<Core>(bitPattern: word).unsafelyUnwrapped
        unsafe core.pointee.tasklet.scheduleHigh()
        return .done
    }

    @_semantics("no_performance_analysis")
    private static func run(_ context: borrowing SoftInterruptContext, _ word: UInt) {
        // The core outlives its tasklet: see `end`.
        let core = unsafe UnsafeMutablePointer<Core>(bitPattern: word).unsafelyUnwrapped
        // Stopped, or started anew, since the interrupt.
        guard unsafe core.pointee.isOn.load(ordering: .acquiring),
            unsafe !core.pointee.timer.isPending && Clock.monotonic >= core.pointee.timer.expiry
        else { return }
        let next = unsafe core.pointee.function(context, core.pointee.word)
        guard case .again(let time) = next, unsafe core.pointee.isOn.load(ordering: .acquiring) else {
            return
        }
        unsafe core.pointee.timer.start(at: time)
    }

    /// Calls the function at `time` (nanoseconds since boot), or as soon as can be. Only while it is stopped; its user keeps
    /// others from starting and stopping it meanwhile.
    public func start(at time: UInt64) {
        unsafe core.pointee.isOn.store(true, ordering: .releasing)
        unsafe core.pointee.timer.start(at: time)
    }

    /// Waits until the function runs no more, which is not called again before the next start.
    public func stop(_ task: borrowing TaskContext) {
        silence(task)
        _ = unsafe (try? core.pointee.tasklet.enable(task)) != nil
    }

    /// Stops it for ever.
    public func end(_ task: borrowing TaskContext) {
        silence(task)
        unsafe core.pointee.tasklet.kill(task)
        hasEnded.store(true, ordering: .relaxed)
    }

    /// With the tasklet disabled nobody restarts the timer.
    private func silence(_ task: borrowing TaskContext) {
        unsafe core.pointee.isOn.store(false, ordering: .releasing)
        unsafe core.pointee.tasklet.disable(task)
        unsafe core.pointee.timer.cancel()
    }

    deinit {
        // Where `end` was forgotten its memory stays, rather than a tasklet that runs in it.
        guard hasEnded.load(ordering: .relaxed) else { return }
        unsafe core.deinitialize(count: 1)
        unsafe core.deallocate()
    }
}
