// The handle of a thread.

import Machine
import Primitives
import Synchronization

/// A thread, by reference to its type-stable storage and its number. Trivial to copy and keep; the handle of
/// a thread that has ended is harmless: it wakes nobody, and its properties read as those of a dead thread.
@safe public struct Thread: Equatable, @unchecked Sendable {
    let storage: ThreadStorage.Pointer
    /// Unique among all threads ever made on this machine; never 0.
    public let identifier: UInt64

    @inline(__always)
    init(_ storage: ThreadStorage.Pointer) {
        unsafe self.storage = unsafe storage
        unsafe identifier = storage.pointee.identifier.load(ordering: .relaxed)
    }

    @inline(__always)
    public static func == (a: Thread, b: Thread) -> Bool { a.identifier == b.identifier }

    /// The thread that runs this. Any context (in an interrupt, the interrupted thread).
    @inline(__always)
    public static var current: Thread { unsafe Thread(currentStorage) }

    /// Storage of the running thread.
    @_semantics("no_performance_analysis") @inline(__always)
    static var currentStorage: ThreadStorage.Pointer {
        // Set for each CPU before the first thread runs there, and never to nil.
        unsafe ThreadStorage.Pointer(bitPattern: CPUArea.currentThread).unsafelyUnwrapped
    }

    /// Whether the thread that the handle was made for has not ended.
    @inline(__always)
    public var exists: Bool { unsafe storage.pointee.identifier.load(ordering: .acquiring) == identifier }

    @inline(__always)
    public var isCurrent: Bool { unsafe CPUArea.currentThread == UInt(bitPattern: storage) }

    // MARK: What others may see

    public var state: ThreadState {
        guard exists else { return .dead }
        let word = unsafe storage.pointee.state.load(ordering: .relaxed)
        return ThreadState(rawValue: word & ~ThreadState.blocked.rawValue)
    }

    /// The CPU it runs on, or ran on last.
    public var cpu: Int { unsafe Int(truncatingIfNeeded: storage.pointee.cpu.load(ordering: .relaxed)) }

    /// Whether it is on a CPU now. Only a hint: it may have left when the caller looks.
    public var isRunning: Bool { unsafe storage.pointee.onCPU.load(ordering: .relaxed) }

    public var name: ThreadName { unsafe storage.pointee.name }

    /// Renames the thread; a reader may see a mixture of both names.
    public func setName(_ name: ThreadName) { unsafe storage.pointee.name = name }

    // MARK: Flags

    @inline(__always)
    public var flags: ThreadFlags {
        unsafe ThreadFlags(rawValue: storage.pointee.flags.load(ordering: .acquiring))
    }

    /// Sets flags. Any context.
    @inline(__always)
    public func setFlags(_ flags: ThreadFlags) {
        _ = unsafe storage.pointee.flags.bitwiseOr(flags.rawValue, ordering: .sequentiallyConsistent)
    }

    @inline(__always)
    public func clearFlags(_ flags: ThreadFlags) {
        _ = unsafe storage.pointee.flags.bitwiseAnd(~flags.rawValue, ordering: .sequentiallyConsistent)
    }

    // MARK: Waking

    /// Makes a sleeping thread run; true if it slept. Any context but NMI; never blocks.
    @discardableResult @inline(__always)
    public func wake() -> Bool { Scheduler.wake(self, from: .sleeping) }

    /// Wakes it only from the given states (job control: `.stopped`).
    @discardableResult
    public func wake(from states: ThreadState) -> Bool { Scheduler.wake(self, from: states) }

    /// A signal has been queued for the thread: ends its interruptible sleep (with `fatal`, killable
    /// sleep too), and brings it out of user mode so that it sees the signal. Any context.
    @inline(__always)
    public func notifySignal(fatal: Bool = false) {
        // Not asleep and not about to be, and no other CPU can say otherwise.
        if !fatal, isCurrent,
            unsafe storage.pointee.state.load(ordering: .relaxed) == ThreadState.running.rawValue
        {
            return setFlags(.signalPending)
        }
        wakeForSignal(fatal: fatal)
    }

    @inline(never)
    private func wakeForSignal(fatal: Bool) {
        setFlags(fatal ? .signalPending | .fatalSignalPending : .signalPending)
        if !wake(from: fatal ? .interruptible | .killable : .interruptible) { Scheduler.kick(self) }
    }

    /// Whether it is a CPU's idle thread, which must not end.
    public var isIdle: Bool { unsafe storage.pointee.isIdle }

    // MARK: The worker

    /// What room `Deferred` knows the running thread by as a worker; 0 if it is none. Not in interrupts.
    @inline(__always)
    public static var currentWorker: UInt { unsafe currentStorage.pointee.worker }

    public static func setCurrentWorker(_ word: UInt) { unsafe currentStorage.pointee.worker = word }

    // MARK: The Linux task

    /// The object that room `Linux` keeps for the thread; nil in kernel threads. Only while the thread
    /// cannot end meanwhile: it is the caller's own, or the caller holds what keeps it.
    @inline(__always)
    public var userObject: AnyObject? { unsafe storage.pointee.userObject?.takeUnretainedValue() }

    /// Where the running thread's object is, for who does not want to count a reference: it stays as long as the thread
    /// runs and does not replace it.
    @inline(__always)
    public static var currentUserObject: UnsafeRawPointer? {
        unsafe UnsafeRawPointer(currentStorage.pointee.userObject?.toOpaque())
    }

    /// Replaces the object. By the thread itself or before its start.
    public func setUserObject(_ object: AnyObject?) { unsafe storage.pointee.setUserObject(object) }
}
