// Works that wait for a time before they wait for a worker.

import Deferred
import Machine
import Primitives
import Tasks

/// A work and the timer of the wheel that queues it, at the first jiffy when its delay is over. Part of the object it serves: it lies still from its first queueing on, and is
/// cancelled before its memory goes.
@safe public struct DelayedWork: ~Copyable, @unchecked Sendable {
    private let cell: Cell<DelayedWorkCore>

    /// - Parameters:
    ///   - name: for reports.
    ///   - isDeferrable: the delay does not wake an idle CPU; the work is queued when that is awake anyway.
    public init(
        _ name: StaticString, isDeferrable: Bool = false, word: UInt = 0, _ function: @escaping Work.Function
    ) {
        unsafe cell = unsafe Cell(
            DelayedWorkCore(Work(name, word: word, function), isDeferrable ? .deferrable : []))
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
        if unsafe core.pointee.timer.deleteSync() { unsafe core.pointee.queueNow() }
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
    let timer: Timer
    /// Where the timer puts the work. Written by whoever has claimed it.
    var queue: WorkQueue? = nil
    var cpu: Int? = nil

    init(_ work: consuming Work, _ flags: Timer.Flags) {
        unsafe self.work = work
        // With interrupts off from the timer's expiry on: a top half that cancels the work waits for its being queued.
        unsafe timer = Timer(flags.union(.interruptsOff)) { _, word in
            // The core lies still while its timer runs.
            let core = unsafe Pointer(bitPattern: word).unsafelyUnwrapped
            unsafe core.pointee.queueNow()
        }
    }

    /// Queues the claimed work.
    borrowing func queueNow() { unsafe queue?.queueClaimed(work, on: cpu) }

    /// True if the timer was running: the claim is the caller's then.
    borrowing func stopTimer() -> Bool { unsafe timer.delete() }

    /// Starts the timer of a claimed work; one of no delay is queued at once.
    static func start(_ core: Pointer, _ queue: WorkQueue, _ cpu: Int?, after delay: UInt64) {
        unsafe core.pointee.queue = queue
        unsafe core.pointee.cpu = cpu
        if delay == 0 { return unsafe core.pointee.queueNow() }
        unsafe core.pointee.timer.setWord(UInt(bitPattern: core))
        unsafe core.pointee.timer.start(after: delay)
    }
}

extension DelayedWorkCore {
    /// The usual case of modifying: only the time changes. False if the timer does not run, or other things change.
    @inline(__always)
    fileprivate static func moveTimer(
        _ core: Pointer, _ queue: WorkQueue, _ cpu: Int?, after delay: UInt64
    ) -> Bool {
        // Nobody writes them while the timer runs; if it does not, what is read here does not matter.
        guard unsafe delay != 0 && core.pointee.timer.isPending && core.pointee.cpu == cpu,
            unsafe core.pointee.queue == queue
        else { return false }
        return unsafe core.pointee.timer.modifyIfPending(to: Jiffies.after(delay))
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
            if unsafe DelayedWorkCore.moveTimer(core, self, cpu, after: delay) { return true }
            guard
                let wasPending = unsafe core.pointee.work.seize(
                    timer: { unsafe core.pointee.stopTimer() }, off)
            else { return true }
            unsafe DelayedWorkCore.start(core, self, cpu, after: delay)
            return wasPending
        }
    }
}
