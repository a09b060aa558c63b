// Sending signals: the one place where a signal becomes pending.
//
// `kill` and friends check permission first (`SystemCalls+Kill`); what calls here is entitled to. Records
// are made before and released after the lock. Most signals need none: they carry no information, or find the
// queue's own place for it free.

import Primitives
import Tasks

extension Process {
    /// Whether all threads stand still. Any context but NMI.
    public var isStopped: Bool { signals.withLockInterruptsOff { signals, _ in signals.isStopped } }

    /// Sends a signal of the kernel's own, without a sender, to the process as a whole. Any context but NMI.
    public func send(_ signal: Signal) {
        var none: SignalRecord?
        _ = deliver(.kernel(signal), &none, isBare: true, to: nil, from: nil)
    }

    /// Sends a signal with its information to the process as a whole, or to `thread` of it. Task
    /// context; says false if a real-time signal found no room (RLIMIT_SIGPENDING) and is lost.
    @discardableResult
    public func send(_ information: SignalInformation, to thread: LinuxTask? = nil) -> Bool {
        guard information.isFromUser else { return send(information, to: thread, from: nil) }
        return LinuxTask.withCurrent { send(information, to: thread, from: $0) }
    }

    /// The same for a sender who is known, and whose user's signals are counted; nil is the kernel.
    func send(_ information: SignalInformation, to thread: LinuxTask?, from sender: LinuxTask?) -> Bool {
        var record: SignalRecord?
        if !information.signal.isRealTime {
            let result = deliver(information, &record, isBare: false, to: thread, from: sender)
            if result != .needsRecord { return result == .sent }
        }
        return sendWithRecord(information, to: thread, from: sender)
    }

    /// Sends a standard signal of the running thread's to itself.
    @inline(__always)
    func send(_ information: SignalInformation, toSelf current: LinuxTask) {
        let result = signals.withLockInterruptsOff { signals, off in
            signals.tryDelivering(information, to: current, of: self, from: current, off)
        }
        if result == .needsRecord { _ = send(information, to: current, from: current) }
    }

    @inline(never)
    private func sendWithRecord(
        _ information: SignalInformation, to thread: LinuxTask?, from sender: LinuxTask?
    ) -> Bool {
        var record = SignalRecord.make(information, sender: sender)
        return deliver(information, &record, isBare: record == nil, to: thread, from: sender) == .sent
    }

    /// Makes the signal pending: with `record`, if there is one, with no information if it is bare, else with the
    /// queue's place. A record that is not needed stays the caller's. Any context but NMI.
    private func deliver(
        _ information: SignalInformation, _ record: inout SignalRecord?, isBare: Bool, to thread: LinuxTask?,
        from sender: LinuxTask?
    ) -> SignalSending {
        var dropped: SignalRecord?
        let result = signals.withLockInterruptsOff { signals, off in
            signals.deliver(
                information, &record, isBare: isBare, to: thread, of: self, from: sender, dropped: &dropped,
                off)
        }
        if let dropped { SignalRecord.release(chain: dropped) }
        return result
    }
}

/// What became of a signal that was sent.
enum SignalSending {
    /// It is pending, or does nothing.
    case sent
    /// A real-time signal without room.
    case lost
    /// The queue has no place for its information but a record.
    case needsRecord
}

extension ProcessSignals {
    /// The whole of sending, under the lock. Records that stop and continue signals cancel are handed back.
    fileprivate mutating func deliver(
        _ information: SignalInformation, _ record: inout SignalRecord?, isBare: Bool, to thread: LinuxTask?,
        of process: Process, from sender: LinuxTask?, dropped: inout SignalRecord?,
        _ off: borrowing InterruptsOff
    ) -> SignalSending {
        let signal = information.signal
        if groupExit != nil { return .sent }
        if SignalSet.opposites.contains(signal) { cancelOpposites(of: signal, dropped: &dropped) }
        let action = process.action(on: signal, off)
        guard let witness = thread ?? threads.first, !isIgnored(signal, action, by: witness) else {
            return .sent
        }
        let absorbed = thread.map { $0.pending.absorbs(signal) } ?? shared.absorbs(signal)
        if absorbed { return .sent }
        if isBare, signal.isRealTime, information.code != SignalCode.user,
            information.code != SignalCode.kernel
        {
            return .lost
        }
        if let fresh = record {
            if let thread { thread.pending.append(fresh) } else { shared.append(fresh) }
            record = nil
        } else if !enqueue(information, isBare, to: thread, from: sender) {
            return .needsRecord
        }
        notify(of: signal, action, thread)
        return .sent
    }

    /// The same for a signal that most threads get: a standard one, that cancels nothing and whose information finds its
    /// place. `.needsRecord` if it is not of that kind.
    @inline(__always)
    fileprivate mutating func tryDelivering(
        _ information: SignalInformation, to thread: LinuxTask, of process: Process, from sender: LinuxTask,
        _ off: borrowing InterruptsOff
    ) -> SignalSending {
        let signal = information.signal
        if groupExit != nil { return .sent }
        let action = process.action(on: signal, off)
        guard action.isCaught, !SignalSet.opposites.contains(signal), stopSignal == nil else {
            return .needsRecord
        }
        if thread.pending.absorbs(signal) { return .sent }
        guard thread.pending.insert(information, sender: sender) else { return .needsRecord }
        if thread.wants(signal) { thread.thread.notifySignal() }
        return .sent
    }

    private mutating func enqueue(
        _ information: SignalInformation, _ isBare: Bool, to thread: LinuxTask?, from sender: LinuxTask?
    ) -> Bool {
        if isBare {
            if let thread {
                thread.pending.insert(information.signal)
            } else {
                shared.insert(information.signal)
            }
            return true
        }
        if let thread { return thread.pending.insert(information, sender: sender) }
        return shared.insert(information, sender: sender)
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
    private func isIgnored(_ signal: Signal, _ action: SignalAction, by task: LinuxTask) -> Bool {
        if task.blocked.contains(signal) || task.awaited.contains(signal) {
            return isUnkillable && signal.isUnblockable
        }
        // Init gets only what it has a handler for.
        if isUnkillable, action.isDefault { return true }
        return action.ignores(signal)
    }

    /// Wakes a thread that can take the signal; starts the end of the process if it is deadly.
    private mutating func notify(of signal: Signal, _ action: SignalAction, _ thread: LinuxTask?) {
        guard let taker = taker(of: signal, thread) else { return }
        let deadly =
            action.isDefault && signal.defaultAction == .terminate
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
    @inline(__always)
    func wants(_ signal: Signal) -> Bool {
        if signal == .kill { return true }
        return !blocked.contains(signal) || awaited.contains(signal)
    }
}

extension Process {
    /// Sends a signal that an instruction of `thread` raised: it cannot be ignored or held back, and it
    /// ends even init.
    func force(_ information: SignalInformation, on thread: LinuxTask) {
        // Made only where the queue's place is taken: outside the lock.
        var record: SignalRecord?
        while !force(information, on: thread, &record) { record = SignalRecord(information) }
    }

    /// False if it takes a record that is not there.
    private func force(
        _ information: SignalInformation, on thread: LinuxTask, _ record: inout SignalRecord?
    ) -> Bool {
        let signal = information.signal
        return signals.withLockInterruptsOff { signals, off in
            if !thread.pending.absorbs(signal) {
                if let fresh = record {
                    thread.pending.append(fresh)
                    record = nil
                } else if !thread.pending.insert(information, sender: nil) {
                    return false
                }
            }
            let action = action(on: signal, off)
            let isBlocked = thread.blocked.contains(signal)
            if isBlocked || action.isIgnored {
                actions.set(SignalAction(), for: signal)
                thread.blocked.remove(signal)
            }
            if isBlocked || !action.isCaught { signals.isUnkillable = false }
            thread.thread.notifySignal()
            return true
        }
    }
}
