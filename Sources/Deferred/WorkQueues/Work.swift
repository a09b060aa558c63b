// A work: a function that a kernel thread runs once, soon, in task context.

import Machine
import Primitives
import Synchronization

/// What a work queue runs (Linux's `work_struct`). Part of the object it serves: it lies still from its first queueing
/// on, and is cancelled before its memory goes, unless its own function frees it: the queue does not touch a work once
/// its function has begun.
///
/// A work that waits in a queue is not queued again; one whose function has begun can be. Its function never runs twice at
/// once on the same queue: a work queued on another CPU while it runs goes to where it runs.
@safe public struct Work: ~Copyable, @unchecked Sendable {
    /// Called with the work's word. Mark it `@Sendable` so that it needs no context.
    public typealias Function = @convention(thin) @Sendable (borrowing TaskContext, UInt) -> Void

    private let cell: Cell<WorkCore>

    /// - Parameter name: for reports.
    public init(_ name: StaticString, word: UInt = 0, _ function: @escaping Function) {
        unsafe cell = unsafe Cell(WorkCore(name, word, function))
    }

    @inline(__always)
    var core: WorkCore.Pointer { unsafe cell.address }

    // MARK: Queueing

    /// Queues the work on `WorkQueue.events`, this CPU. Any context but NMI.
    /// - Returns: false if it waits already.
    @_noAllocation @discardableResult
    public func schedule() -> Bool { WorkQueue.events.queue(self) }

    /// The same on a CPU's part of `WorkQueue.events`.
    @_noAllocation @discardableResult
    public func schedule(on cpu: Int) -> Bool { WorkQueue.events.queue(self, on: cpu) }

    /// Waits in a queue and has not begun. A hint.
    public var isPending: Bool {
        unsafe core.pointee.state.load(ordering: .acquiring) & WorkCore.pending != 0
    }

    // MARK: Waiting and cancelling

    /// Waits until the last queueing of the work has been run.
    /// - Returns: false if there was nothing to wait for, or the caller is the work itself (which is reported).
    @discardableResult
    public func flush(_ task: borrowing TaskContext) -> Bool { unsafe WorkFlusher.flush(core, task) }

    /// Takes the work out of its queue, waits until its function has returned if it runs, and keeps it from being queued
    /// meanwhile, also by itself.
    /// - Returns: whether it was waiting.
    @discardableResult
    public func cancelSync(_ task: borrowing TaskContext) -> Bool {
        unsafe WorkCanceller.cancelSync(core, task)
    }

    /// Takes the work out of its queue; does not wait for a function that runs. Any context but NMI.
    /// - Returns: whether it was waiting.
    @discardableResult
    public func cancel() -> Bool { unsafe WorkCanceller.cancel(core) }
}
