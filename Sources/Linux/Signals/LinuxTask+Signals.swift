// The running task's own signals: mask, taking them, and the flag that the exit path looks at.

import Primitives
import Tasks

extension LinuxTask {
    /// Replaces the mask (SIGKILL and SIGSTOP stay unblocked). Signals for the whole process that this
    /// thread now holds back are offered to others. Only the running task.
    @inline(__always)
    func setBlocked(_ mask: SignalSet) {
        let new = mask - .unblockable
        guard new != blocked else { return }
        process.signals.withLockInterruptsOff { signals, _ in setBlocked(new, &signals) }
    }

    /// The same under `process.signals`; also puts the thread's flag in step.
    @inline(__always)
    func setBlocked(_ mask: SignalSet, _ signals: inout ProcessSignals) {
        let new = mask - .unblockable
        let orphaned = signals.shared.pending & (new - blocked)
        blocked = new
        if !orphaned.isEmpty { signals.offer(orphaned, besides: self) }
        updatePendingFlag(signals)
    }

    /// Puts the thread's flag in step with what is pending. Under `process.signals`, which senders hold too,
    /// so no signal is missed.
    @inline(__always)
    func updatePendingFlag(_ signals: borrowing ProcessSignals) {
        if signals.hasWork(for: self) {
            thread.setFlags(.signalPending)
        } else {
            thread.clearFlags(.anySignal)
        }
    }

    /// Takes the next signal not in `mask`, private ones first; false if there is none. The record of what is taken, if
    /// it has one, is released by the caller, outside the lock.
    @inline(__always)
    func takeSignal(
        _ signals: inout ProcessSignals, notIn mask: SignalSet, _ information: inout SignalInformation,
        _ released: inout SignalRecord?
    ) -> Bool {
        if let signal = pending.next(notIn: mask) {
            if let record = pending.take(signal, &information) { released = record }
            return true
        }
        if let signal = signals.shared.next(notIn: mask) {
            if let record = signals.shared.take(signal, &information) { released = record }
            return true
        }
        return false
    }

    /// Whether a signal waits that is not blocked, or the process is ending: what interrupts a sleep.
    @inline(__always)
    public var hasSignalPending: Bool { thread.flags.contains(.signalPending) }
}

extension ProcessSignals {
    /// Whether a thread has to look at its signals before it runs user code.
    @inline(__always)
    func hasWork(for task: LinuxTask) -> Bool {
        if hasUrgentWork(for: task) { return true }
        return !((task.pending.pending | shared.pending) - (task.blocked - task.awaited)).isEmpty
    }

    /// Whether a thread is to end, to stop or to tell its parent, which comes before all signals.
    @inline(__always)
    func hasUrgentWork(for task: LinuxTask) -> Bool {
        groupExit != nil || stopSignal != nil || noticeDue != nil || task.isEnding
    }

    /// Wakes other threads for signals that `task` no longer takes.
    mutating func offer(_ set: SignalSet, besides task: LinuxTask) {
        var rest = set
        threads.forEach { other in
            if other !== task, !(rest - other.blocked).isEmpty {
                other.thread.notifySignal()
                rest = rest & other.blocked
            }
            return !rest.isEmpty
        }
    }
}

extension Process {
    /// Sets an action and returns the one before; signals that do nothing now are forgotten.
    func setAction(_ new: SignalAction, for signal: Signal) -> SignalAction {
        var action = new
        action.mask = action.mask - .unblockable
        action.flags &= SignalAction.Flag.known
        var dropped: SignalRecord?
        let old = signals.withLockInterruptsOff { signals, _ in
            let old = actions.set(action, for: signal)
            if action.ignores(signal) { signals.remove(SignalSet(signal), into: &dropped) }
            return old
        }
        SignalRecord.release(chain: dropped)
        return old
    }
}
