// Works that wait for a time before they wait for a worker.

import Deferred
import Machine
import Primitives
import Tasks

/// A work and the timer that queues it. Part of the object it serves: it lies still from its first queueing on, and is
/// cancelled before its memory goes.
@safe public struct DelayedWork: ~Copyable, @unchecked Sendable {
    private let cell: Cell<DelayedWorkCore>

    /// - Parameter name: for reports.
    public init(_ name: StaticString, word: UInt = 0, _ function: @escaping Work.Function) {
        unsafe cell = unsafe Cell(DelayedWorkCore(Work(name, word: word, function)))
    }

    var core: DelayedWorkCore.Pointer { unsafe cell.address }

    /// `WorkQueue.queueDelayed` on `WorkQueue.events`.
    @_noAllocation @discardableResult
    public func schedule(after delay: UInt64) -> Bool { WorkQueue.events.queueDelayed(self, after: delay) }

    /// Its timer runs, or it waits for a worker. A hint.
    public var isPending: Bool { unsafe core.pointee.work.isPending }

    /// Queues the work at once if its timer runs, and waits until its last queueing has been run.
    /// - Returns: false if there was nothing to wait for.
    @discardableResult
    public func flush(_ task: borrowing TaskContext) -> Bool {
        // Waits for a timer that is just queueing the work.
        if unsafe core.pointee.timer.cancel() { unsafe core.pointee.queueNow() }
        return unsafe core.pointee.work.flush(task)
    }

    /// Stops the timer or takes the work out of its queue; does not wait for a function that runs. Any context but NMI.
    /// - Returns: whether it was waiting.
    @discardableResult
    public func cancel() -> Bool { unsafe core.pointee.work.cancel { unsafe core.pointee.stopTimer() } }

    /// The same, and waits until its function has returned; it cannot be queued meanwhile, also by itself.
    /// - Returns: whether it was waiting.
    @discardableResult
    public func cancelSync(_ task: borrowing TaskContext) -> Bool {
        unsafe core.pointee.work.cancelSync(task) { unsafe core.pointee.stopTimer() }
    }
}

@unsafe struct DelayedWorkCore: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<DelayedWorkCore>

    let work: Work
    let timer: HighResolutionTimer
    /// Where the timer puts the work. Written by whoever has claimed it.
    var queue: WorkQueue? = nil
    var cpu: Int? = nil

    init(_ work: consuming Work) {
        unsafe self.work = work
        unsafe timer = HighResolutionTimer { _, word in
            // The core lies still while its timer runs.
            let core = unsafe Pointer(bitPattern: word).unsafelyUnwrapped
            unsafe core.pointee.queueNow()
            return .done
        }
    }

    /// Queues the claimed work.
    borrowing func queueNow() { unsafe queue?.queueClaimed(work, on: cpu) }

    /// True if the timer was running: the claim is the caller's then.
    borrowing func stopTimer() -> Bool {
        switch unsafe timer.tryToCancel() {
        case .cancelled, .cancelledWhileRunning: true
        case .idle, .running: false
        }
    }

    /// Starts the timer of a claimed work; one of no delay is queued at once.
    static func start(_ core: Pointer, _ queue: WorkQueue, _ cpu: Int?, after delay: UInt64) {
        unsafe core.pointee.queue = queue
        unsafe core.pointee.cpu = cpu
        if delay == 0 { return unsafe core.pointee.queueNow() }
        unsafe core.pointee.timer.setWord(UInt(bitPattern: core))
        unsafe core.pointee.timer.start(after: delay)
    }
}

extension WorkQueue {
    /// Queues a work in `delay` nanoseconds, not before; on a CPU's part of the queue, or that of the CPU where its timer
    /// expires. Any context but NMI.
    /// - Returns: false if its timer runs or it waits already.
    @_noAllocation @discardableResult
    public func queueDelayed(_ work: borrowing DelayedWork, after delay: UInt64, on cpu: Int? = nil) -> Bool {
        withInterruptsOff { off in
            guard unsafe work.core.pointee.work.claim(off) else { return false }
            unsafe DelayedWorkCore.start(work.core, self, cpu, after: delay)
            return true
        }
    }

    /// The same, whether it waits or not: the new delay counts. Nothing happens while somebody cancels it and waits.
    /// - Returns: whether it was waiting.
    @_noAllocation @discardableResult
    public func modifyDelayed(_ work: borrowing DelayedWork, after delay: UInt64, on cpu: Int? = nil) -> Bool
    {
        withInterruptsOff { off in
            let core = unsafe work.core
            guard
                let wasPending = unsafe core.pointee.work.seize(
                    timer: { unsafe core.pointee.stopTimer() }, off)
            else { return true }
            unsafe DelayedWorkCore.start(core, self, cpu, after: delay)
            return wasPending
        }
    }
}
