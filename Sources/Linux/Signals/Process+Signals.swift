// Sending signals: the one place where a signal becomes pending.
//
// `kill` and friends check permission first (`SystemCalls+Kill`); what calls here is entitled to. Records
// are made before and released after the lock, so this works in any context as long as the caller of a
// hard or soft interrupt passes no record of its own making.

import Primitives
import Tasks

extension Process {
    /// Whether all threads stand still. Any context but NMI.
    public var isStopped: Bool { signals.withLockInterruptsOff { signals, _ in signals.isStopped } }

    /// Sends a signal of the kernel's own, without a sender, to the process as a whole. Any context but NMI.
    public func send(_ signal: Signal) { _ = deliver(.kernel(signal), record: nil, to: nil) }

    /// Sends a signal with its information to the process as a whole, or to `thread` of it. Task
    /// context; says false if a real-time signal found no room (RLIMIT_SIGPENDING) and is lost.
    @discardableResult
    public func send(_ information: SignalInformation, to thread: LinuxTask? = nil) -> Bool {
        let record = SignalRecord.make(information, sender: information.isFromUser ? LinuxTask.current : nil)
        return deliver(information, record: record, to: thread)
    }

    /// Makes the signal pending, with `record` if there is one. Any context but NMI.
    func deliver(_ information: SignalInformation, record: SignalRecord?, to thread: LinuxTask?) -> Bool {
        var dropped: SignalRecord?
        let sent = signals.withLockInterruptsOff { signals, _ in
            signals.deliver(information, record, to: thread, of: self, dropped: &dropped)
        }
        SignalRecord.release(chain: dropped)
        return sent
    }
}

extension ProcessSignals {
    /// The whole of sending, under the lock. Records that stop and continue signals cancel are handed back.
    mutating func deliver(
        _ information: SignalInformation, _ record: SignalRecord?, to thread: LinuxTask?,
        of process: Process, dropped: inout SignalRecord?
    ) -> Bool {
        let signal = information.signal
        if groupExit != nil { return drop(record, into: &dropped) }
        cancelOpposites(of: signal, dropped: &dropped)
        guard let witness = thread ?? threads.first,
            !isIgnored(signal, by: witness, of: process)
        else { return drop(record, into: &dropped) }

        let absorbed = thread.map { $0.pending.absorbs(signal) } ?? shared.absorbs(signal)
        if absorbed { return drop(record, into: &dropped) }
        if record == nil, signal.isRealTime, information.code != SignalCode.user,
            information.code != SignalCode.kernel
        {
            return false
        }
        enqueue(signal, record, to: thread)
        notify(of: signal, thread, process)
        return true
    }

    private func drop(_ record: SignalRecord?, into dropped: inout SignalRecord?) -> Bool {
        if let record {
            record.next = dropped
            dropped = record
        }
        return true
    }

    private mutating func enqueue(_ signal: Signal, _ record: SignalRecord?, to thread: LinuxTask?) {
        if let record {
            if let thread { thread.pending.append(record) } else { shared.append(record) }
        } else {
            if let thread { thread.pending.insert(signal) } else { shared.insert(signal) }
        }
    }

    /// A stop signal cancels a pending SIGCONT and the other way round; SIGCONT ends a stop.
    private mutating func cancelOpposites(of signal: Signal, dropped: inout SignalRecord?) {
        if SignalSet.stopping.contains(signal) {
            remove(SignalSet(.continue), into: &dropped)
        } else if signal == .continue {
            remove(.stopping, into: &dropped)
            stopIsValid = false
            resume()
        }
    }

    /// Takes signals out of all queues.
    mutating func remove(_ set: SignalSet, into dropped: inout SignalRecord?) {
        SignalRecord.join(shared.remove(set), to: &dropped)
        var chains = dropped
        threads.forEach { task in
            SignalRecord.join(task.pending.remove(set), to: &chains)
            return true
        }
        dropped = chains
    }

    /// Lets a stopped or stopping process run again; one of its threads tells the parent.
    private mutating func resume() {
        guard stopSignal != nil else { return }
        if isStopped {
            unreportedContinue = true
            noticeDue = .continued
        }
        stopSignal = nil
        stoppedThreads = 0
        unreportedStop = false
        threads.forEach { task in
            // The flag makes one of them tell the parent.
            task.thread.notifySignal()
            task.thread.wake(from: .stopped)
            return true
        }
    }

    /// Whether the signal would do nothing: it has no effect and nobody has blocked it to take it later.
    private func isIgnored(_ signal: Signal, by task: LinuxTask, of process: Process) -> Bool {
        if task.blocked.contains(signal) || task.awaited.contains(signal) {
            return isUnkillable && signal.isUnblockable
        }
        let action = process.actions[signal]
        // Init gets only what it has a handler for.
        if isUnkillable, action.isDefault { return true }
        return action.ignores(signal)
    }

    /// Wakes a thread that can take the signal; starts the end of the process if it is deadly.
    private mutating func notify(of signal: Signal, _ thread: LinuxTask?, _ process: Process) {
        guard let taker = taker(of: signal, thread) else { return }
        let deadly =
            process.actions[signal].isDefault && signal.defaultAction == .terminate
            && (signal == .kill || !taker.awaited.contains(signal))
        if deadly {
            beginGroupExit(Int32(signal.number))
        } else {
            taker.thread.notifySignal()
        }
    }

    /// The thread to take a signal: the one it is for, else the first that wants it. While all stand still
    /// nothing but SIGKILL is taken.
    private func taker(of signal: Signal, _ thread: LinuxTask?) -> LinuxTask? {
        if isStopped, signal != .kill { return nil }
        if let thread { return thread.wants(signal) ? thread : nil }
        var found: LinuxTask?
        threads.forEach { task in
            if task.wants(signal) { found = task }
            return found == nil
        }
        return found
    }

    /// From now on every thread ends as soon as it can; the process's wait status will be `status`.
    mutating func beginGroupExit(_ status: Int32) {
        guard groupExit == nil else { return }
        groupExit = status
        stopSignal = nil
        stopIsValid = false
        stoppedThreads = 0
        threads.forEach { task in
            task.pending.insert(.kill)
            task.thread.notifySignal(fatal: true)
            task.thread.wake(from: .stopped)
            return true
        }
    }
}

extension LinuxTask {
    /// Whether the signal would be taken if this thread looked now. Under `process.signals`.
    func wants(_ signal: Signal) -> Bool {
        if signal == .kill { return true }
        return !blocked.contains(signal) || awaited.contains(signal)
    }
}

extension Process {
    /// Sends a signal that an instruction of `thread` raised: it cannot be ignored or held back, and it
    /// ends even init.
    func force(_ information: SignalInformation, on thread: LinuxTask) {
        let signal = information.signal
        var record: SignalRecord? = SignalRecord(information)
        signals.withLockInterruptsOff { signals, _ in
            let action = actions[signal]
            let isBlocked = thread.blocked.contains(signal)
            if isBlocked || action.isIgnored {
                actions.set(SignalAction(), for: signal)
                thread.blocked.remove(signal)
            }
            if isBlocked || !action.isCaught { signals.isUnkillable = false }
            if !thread.pending.absorbs(signal), let fresh = record {
                thread.pending.append(fresh)
                record = nil
            }
            thread.thread.notifySignal()
        }
    }
}
