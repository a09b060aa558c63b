// Timers in nanoseconds.

import Machine
import Primitives
import Synchronization

/// Calls a function at a given time, in hard interrupt context. Part of the object it serves, or on a waiter's stack: it
/// lies still from its first start on, and whoever destroys it cancels it (its `deinit` does, and waits). Starting costs
/// O(log n) in the number of timers of this CPU, cancelling too.
///
/// Any context but NMI may start and cancel it, any number of CPUs at once.
@safe public struct HighResolutionTimer: ~Copyable, @unchecked Sendable {
    /// What the function wants: to be called no more, or again.
    public enum Next: Sendable {
        case done
        /// Again at this time of the timer's clock; unless somebody started the timer meanwhile.
        case again(at: UInt64)
    }

    /// Called with the timer's word, late by as little as the CPU lets it, never early. Mark it `@_noAllocation`, and
    /// `@Sendable` so that it needs no context. It may start this timer, but not `cancel` it.
    public typealias Function = @convention(thin) @Sendable (borrowing HardInterruptContext, UInt) -> Next

    public enum Cancellation: Equatable, Sendable {
        /// It was waiting and will not fire.
        case cancelled
        /// It was waiting again and will not fire; its function still runs from the time before.
        case cancelledWhileRunning
        /// It was not waiting.
        case idle
        /// Its function is running now.
        case running
    }

    let cell: Cell<TimerCore>

    /// A timer that calls `function(word)` by the given clock.
    public init(_ clock: ClockBase = .monotonic, word: UInt = 0, _ function: @escaping Function) {
        unsafe cell = unsafe Cell(TimerCore(clock, word, function))
    }

    /// Gives the function another word. Only while the timer is not pending and its function does not run.
    @_noAllocation
    public func setWord(_ word: UInt) { unsafe cell.address.pointee.word = word }

    /// Fires at `time` of its clock; at once (from an interrupt) if that has passed. A pending timer is moved.
    @_noAllocation
    public func start(at time: UInt64) { unsafe TimerCore.start(cell.address, at: time) }

    /// Fires after `duration` nanoseconds.
    @_noAllocation
    public func start(after duration: UInt64) {
        let (time, overflow) = unsafe cell.address.pointee.clock.now.addingReportingOverflow(duration)
        start(at: overflow ? .max : time)
    }

    /// Stops the timer, unless its function is running.
    @_noAllocation @discardableResult
    public func tryToCancel() -> Cancellation { unsafe TimerCore.tryToCancel(cell.address) }

    /// Stops the timer; if its function is running, waits until that is over. True if it was pending. Not from the
    /// function itself, nor with a lock that it takes.
    @discardableResult
    public func cancel() -> Bool {
        var wasPending = false
        while true {
            switch tryToCancel() {
            case .cancelled: return true
            case .idle: return wasPending
            case .cancelledWhileRunning: wasPending = true
            case .running: break
            }
            Spin.pause()
        }
    }

    /// Whether it will fire. Only a hint unless the caller keeps others from changing it.
    public var isPending: Bool { unsafe cell.address.pointee.isPending.load(ordering: .acquiring) }

    /// When it fires, or fired last.
    public var expiry: UInt64 { unsafe cell.address.pointee.expiry.load(ordering: .relaxed) }

    /// Nanoseconds until it fires; 0 if it is due or not pending.
    public var remaining: UInt64 {
        guard isPending else { return 0 }
        let now = unsafe cell.address.pointee.clock.now
        return expiry > now ? expiry - now : 0
    }

    deinit { cancel() }
}
