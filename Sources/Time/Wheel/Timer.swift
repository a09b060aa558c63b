// Timers in jiffies: Linux's `timer_list`. For time-outs, which mostly do not come to pass.

import Machine
import Primitives
import Synchronization
import TimerWheel

/// Calls a function at a given jiffy, in the TIMER soft IRQ. Part of the object it serves: it lies still from its first start
/// on. Never early, late by less than a jiffy and what keeps the CPU's soft IRQs from running. Starting, moving and deleting
/// take constant time at any number of timers; nothing is allocated.
///
/// Any context but NMI may start and delete it, any number of CPUs at once. It fires on the CPU that started it last, unless
/// its function was just running: then where that runs. When a CPU goes offline, its timers fire on another.
@safe public struct Timer: ~Copyable, @unchecked Sendable {
    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Does not wake an idle CPU: fires when it is awake anyway, however late that is.
        public static let deferrable = Flags(rawValue: 1)
        /// Stays on the CPU where it was put first, or by `add(at:on:)`, whoever starts it.
        public static let pinned = Flags(rawValue: 2)
        /// The function is called with interrupts off, from the moment on in which the timer is not pending any more: top
        /// halves may wait for what it does (`TIMER_IRQSAFE`).
        public static let interruptsOff = Flags(rawValue: 4)
    }

    /// Called with the timer's word. It may start this timer again, and it may free it: nobody touches the timer after that.
    /// Mark it `@_noAllocation` where it allows that, and `@Sendable` so that it needs no context.
    public typealias Function = @convention(thin) @Sendable (borrowing SoftInterruptContext, UInt) -> Void

    let cell: Cell<TimerEntry>

    /// A timer that calls `function(word)`.
    public init(_ flags: Flags = [], word: UInt = 0, _ function: @escaping Function) {
        unsafe cell = unsafe Cell(TimerEntry(flags, word, function))
    }

    /// Gives the function another word. Only while the timer is not pending and its function does not run.
    @_noAllocation
    public func setWord(_ word: UInt) { unsafe cell.address.pointee.word = word }

    /// Fires at the beginning of `jiffy`, or soon if that has passed. A pending timer is moved (`mod_timer`).
    /// - Returns: whether it was pending.
    @_noAllocation @discardableResult
    public func modify(to jiffy: UInt64) -> Bool { unsafe TimerEntry.start(cell.address, at: jiffy) }

    /// Starts a timer that is not pending (`add_timer`).
    @_noAllocation
    public func add(at jiffy: UInt64) { unsafe TimerEntry.start(cell.address, at: jiffy) }

    /// Moves the timer only if it is pending (`mod_timer_pending`).
    /// - Returns: whether it was.
    @_noAllocation @discardableResult
    public func modifyIfPending(to jiffy: UInt64) -> Bool {
        unsafe TimerEntry.moveIfPending(cell.address, to: jiffy)
    }

    /// Fires in `duration` nanoseconds, at the next jiffy then.
    /// - Returns: whether it was pending.
    @_noAllocation @discardableResult
    public func start(after duration: UInt64) -> Bool { modify(to: Jiffies.after(duration)) }

    /// Starts a timer that is not pending on the given CPU (`add_timer_on`); on this one if that is not online.
    @_noAllocation
    public func add(at jiffy: UInt64, on cpu: Int) {
        unsafe TimerEntry.start(cell.address, at: jiffy, on: cpu)
    }

    /// Stops the timer (`del_timer`); its function may just be running, or about to.
    /// - Returns: whether it was pending.
    @_noAllocation @discardableResult
    public func delete() -> Bool { unsafe TimerEntry.delete(cell.address) }

    /// Stops the timer, and says whether its function is running (`try_to_del_timer_sync`).
    @_noAllocation @discardableResult
    public func tryToDelete() -> HighResolutionTimer.Cancellation {
        unsafe TimerEntry.tryToDelete(cell.address)
    }

    /// Stops the timer, and waits until its function has returned (`timer_delete_sync`). Not in a hard interrupt, nor with a
    /// lock that the function takes. From the function itself it does not wait.
    /// - Returns: whether it was pending.
    @discardableResult
    public func deleteSync() -> Bool {
        var wasPending = false
        while true {
            switch tryToDelete() {
            case .cancelled: return true
            case .idle: return wasPending
            case .cancelledWhileRunning: wasPending = true
            case .running: break
            }
            if unsafe TimerEntry.isCaller(cell.address) { return wasPending }
            Spin.pause()
        }
    }

    /// Whether it will fire. Only a hint unless the caller keeps others from changing it.
    public var isPending: Bool { unsafe cell.address.pointee.isPending.load(ordering: .acquiring) }

    /// The jiffy at which it fires, or fired last. A hint, as `isPending`.
    public var expiry: UInt64 { unsafe TimerEntry.expiry(cell.address) }

    deinit { deleteSync() }
}
