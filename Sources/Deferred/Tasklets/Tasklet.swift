// Tasklets: bottom halves that drivers declare for themselves, run by two of the soft IRQs.

import Machine
import Primitives
import Synchronization

/// A function that runs once, soon, in soft-IRQ context on the CPU that scheduled it; however often it is scheduled
/// before it runs. It never runs on two CPUs at once. Part of the object it serves: it lies still from its
/// first `schedule` on, and is killed before its memory goes.
///
/// HI (`scheduleHigh`) comes before TASKLET (`schedule`), and both before what runs in threads. A tasklet that is
/// disabled stays scheduled and runs when it is enabled.
@safe public struct Tasklet: ~Copyable, @unchecked Sendable {
    /// Called with the tasklet's word. Mark it `@_noAllocation`, and `@Sendable` so that it needs no context. It may
    /// schedule this tasklet again, which then runs in a later round.
    public typealias Handler = @convention(thin) @Sendable (borrowing SoftInterruptContext, UInt) -> Void

    private let cell: Cell<TaskletCore>

    /// - Parameters:
    ///   - name: for reports.
    ///   - enabled: whether it may run from the start; else `enable` lets it.
    public init(_ name: StaticString, enabled: Bool = true, word: UInt = 0, _ handler: @escaping Handler) {
        unsafe cell = unsafe Cell(TaskletCore(name, enabled, word, handler))
    }

    private var core: TaskletCore.Pointer { unsafe cell.address }

    // MARK: Scheduling

    /// Lets the handler run once on this CPU (soft IRQ TASKLET). Any context but NMI; constant cost.
    /// - Returns: false if it was scheduled already, or has been killed (which is reported).
    @_noAllocation @discardableResult
    public func schedule() -> Bool { unsafe TaskletQueue.schedule(core, .normal) }

    /// The same by soft IRQ HI.
    @_noAllocation @discardableResult
    public func scheduleHigh() -> Bool { unsafe TaskletQueue.schedule(core, .high) }

    /// Scheduled and not yet begun. A hint.
    public var isScheduled: Bool {
        unsafe core.pointee.state.load(ordering: .acquiring) & TaskletCore.scheduled != 0
    }

    /// The handler is running on some CPU. A hint.
    public var isRunning: Bool {
        unsafe core.pointee.state.load(ordering: .acquiring) & TaskletCore.running != 0
    }

    // MARK: Enabling

    /// Keeps the handler from beginning until `enable` has been called as often; one that runs goes on. Any context.
    @_noAllocation
    public func disable() { unsafe TaskletQueue.disable(core) }

    /// The same, and waits until a handler that runs has returned.
    public func disable(_ task: borrowing TaskContext) {
        disable()
        unsafe TaskletQueue.awaitHandler(core, task)
    }

    /// Takes back one `disable`. With the last one a tasklet that was scheduled meanwhile runs, on the CPU that scheduled
    /// it. Throws `.invalid`, with a report that names the tasklet, if it is not disabled.
    public func enable(_ task: borrowing TaskContext) throws(Errno) { try unsafe TaskletQueue.enable(core) }

    /// The same in a soft IRQ.
    public func enable(_ context: borrowing SoftInterruptContext) throws(Errno) {
        try unsafe TaskletQueue.enable(core)
    }

    // MARK: The end

    /// Waits until the tasklet is neither scheduled nor running, and keeps it so for ever: what is scheduled runs (unless it is
    /// disabled, then it does not), and scheduling it from now on is refused; after the return also reported.
    public func kill(_ task: borrowing TaskContext) { unsafe TaskletQueue.kill(core, task) }
}
