// The running task as the sender of a signal: its permission, and what the receiver learns of it.

import Primitives

struct SignalSender {
    private let sender: LinuxTask
    private let information: SignalInformation

    /// Says who the sender is.
    init(code: Int32) {
        sender = LinuxTask.current
        information = .sent(
            Signal(1), code: code, by: sender.process.identifier, user: sender.credentials.userID)
    }

    /// Says what `information` says.
    init(_ information: SignalInformation) {
        sender = LinuxTask.current
        self.information = information
    }

    /// Sends to a process, or to one thread of it; nil as signal only checks the permission. Throws
    /// `.tryAgain` where a queued signal found no room. Who holds the process table's lock says whether the
    /// process is of the sender's session.
    func send(
        _ signal: Signal?, to process: Process, _ thread: LinuxTask? = nil, isOwnSession: Bool? = nil
    ) throws(Errno) {
        guard mayReach(process, thread, signal, isOwnSession) else { throw .notPermitted }
        guard let signal else { return }
        var information = information
        information.number = Int32(signal.number)
        guard process.send(information, to: thread) else { throw .tryAgain }
    }

    /// To every member of a group; an error only if none could be reached.
    func send(_ signal: Signal?, toGroup identifier: Int32) throws(Errno) {
        var failure: Errno? = .noSuchProcess
        ProcessTable.lock.withLockInterruptsOff { table, _ in
            guard let group = table.group(identifier) else { return }
            let isOwnSession = group.session === sender.process.sessionUnderLock
            group.members.forEach { process in
                let result = attempt(signal, process, isOwnSession: isOwnSession)
                // One success is enough.
                if failure != nil { failure = result }
                return true
            }
        }
        if let failure { throw failure }
    }

    /// To every process but init and the sender's own.
    func sendToAll(_ signal: Signal?) throws(Errno) {
        var reached = 0
        var failure: Errno?
        var number: Int32 = 2
        while let process = ProcessTable.nextProcess(from: number) {
            number = process.identifier + 1
            if process === sender.process { continue }
            reached += 1
            if let error = attempt(signal, process), error != .notPermitted { failure = error }
        }
        if reached == 0 { throw .noSuchProcess }
        if let failure { throw failure }
    }

    private func attempt(_ signal: Signal?, _ process: Process, isOwnSession: Bool? = nil) -> Errno? {
        do throws(Errno) {
            try send(signal, to: process, isOwnSession: isOwnSession)
            return nil
        } catch { return error }
    }

    /// The rules of kill(2): same user, CAP_KILL, or SIGCONT within the session. What pretends to come
    /// from the kernel goes only to the sender itself and needs none.
    private func mayReach(
        _ process: Process, _ thread: LinuxTask?, _ signal: Signal?, _ isOwnSession: Bool?
    ) -> Bool {
        if process === sender.process || !information.isFromUser { return true }
        let own = sender.credentials
        if own.has(.kill) { return true }
        guard let target = (thread ?? process.firstTask)?.observedCredentials else {
            // A zombie: nobody is there to be hurt.
            return true
        }
        if own.effectiveUserID == target.userID || own.effectiveUserID == target.savedUserID
            || own.userID == target.userID || own.userID == target.savedUserID
        {
            return true
        }
        guard signal == .continue else { return false }
        return isOwnSession ?? (process.session === sender.process.session)
    }
}
