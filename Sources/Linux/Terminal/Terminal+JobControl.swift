// Job control: which process group may read, write and change the terminal, and whose terminal it is (POSIX.1-2017,
// chapter 11.1).

import Primitives
import Tasks

extension Terminal {
    /// The running process is in the terminal's session but not in its foreground group, and neither ignores
    /// nor blocks `signal`.
    func mustStop(_ signal: Signal) -> Bool {
        guard isInBackground, let task = Caller.task else { return false }
        return !task.isDeaf(to: signal)
    }

    private var isInBackground: Bool {
        // Kernel threads are in no session.
        guard let process = Caller.task?.process else { return false }
        let group = process.group
        return state.withLock { state in
            guard let session = state.session, session === group.session,
                let foreground = state.foreground
            else { return false }
            return foreground !== group
        }
    }

    /// Stops the process's group with `signal` if it is in the background; returns if it may go on.
    /// SIGTTIN: reading; SIGTTOU: changing settings, or writing with TOSTOP.
    func checkForeground(_ signal: Signal) throws(Errno) {
        guard isInBackground, let task = Caller.task else { return }
        if task.isDeaf(to: signal) {
            if signal == .terminalInput { throw .inputOutput }
            return
        }
        let group = task.process.group
        // Nobody would continue it.
        if group.isOrphaned { throw .inputOutput }
        group.signal(signal)
        throw .restartSystem
    }

    /// Makes this the controlling terminal of the running process's session (TIOCSCTTY, open(2)). `steal`:
    /// even if it is another session's, which the superuser may.
    func becomeControlling(steal: Bool) throws(Errno) {
        let task = LinuxTask.current
        let process = task.process
        let group = process.group
        let session = group.session
        if session.controllingTerminal === self, process.identifier == session.identifier { return }
        guard process.identifier == session.identifier, session.controllingTerminal == nil else {
            throw .notPermitted
        }
        let robbed = try state.withLock { state throws(Errno) in
            let robbed = state.session
            if robbed != nil, !(steal && task.credentials.has(.administration)) { throw .notPermitted }
            state.session = session
            state.foreground = group
            return robbed
        }
        robbed?.controllingTerminal = nil
        session.controllingTerminal = self
    }

    /// As part of open(2): a session leader without a terminal gets this one if it is nobody's.
    func becomeControllingIfFree() {
        guard let process = Caller.task?.process, process.identifier == process.session.identifier,
            process.session.controllingTerminal == nil,
            state.withLock({ $0.session == nil })
        else { return }
        // Another opener may be faster: then it stays that one's.
        do throws(Errno) { try becomeControlling(steal: false) } catch {}
    }

    /// The running process's session, checked to have this as its terminal.
    private func checkOwnSession() throws(Errno) -> Session {
        let session = LinuxTask.current.process.session
        guard session.controllingTerminal === self, state.withLock({ $0.session === session }) else {
            throw .notTerminal
        }
        return session
    }

    /// TIOCGPGRP.
    func foregroundGroup() throws(Errno) -> Int32 {
        _ = try checkOwnSession()
        return state.withLock { $0.foreground?.identifier ?? 0 }
    }

    /// TIOCSPGRP.
    func setForegroundGroup(_ identifier: Int32) throws(Errno) {
        do throws(Errno) {
            try checkForeground(.terminalOutput)
        } catch {
            throw error == .inputOutput ? .notTerminal : error
        }
        let session = try checkOwnSession()
        guard identifier >= 0 else { throw .invalid }
        guard let group = ProcessTable.group(identifier) else { throw .noSuchProcess }
        guard group.session === session else { throw .notPermitted }
        state.withLock { $0.foreground = group }
    }

    /// TIOCGSID.
    func sessionIdentifier() throws(Errno) -> Int32 { try checkOwnSession().identifier }

    /// TIOCNOTTY: the session gives the terminal up, if its leader says so.
    func giveUp() throws(Errno) {
        let session = try checkOwnSession()
        guard LinuxTask.current.process.identifier == session.identifier else { return }
        let group = disassociate(session)
        group?.signal(.hangUp)
        group?.signal(.continue)
    }

    /// Breaks the tie with `session`; returns what was the foreground group.
    private func disassociate(_ session: Session) -> ProcessGroup? {
        let group = state.withLock { state -> ProcessGroup? in
            guard state.session === session else { return nil }
            let group = state.foreground
            state.session = nil
            state.foreground = nil
            return group
        }
        if session.controllingTerminal === self { session.controllingTerminal = nil }
        return group
    }

    /// The leader of `session` has ended: hang up.
    public func sessionLeaderLeft(_ session: Session) {
        let group = disassociate(session)
        group?.signal(.hangUp)
        group?.signal(.continue)
        killOpenFiles()
    }

    /// The line is gone, or somebody says so (vhangup(2), TIOCVHANGUP).
    func hangUp() {
        let session = state.withLock { $0.session }
        let group = session.flatMap { disassociate($0) }
        if let leader = session.flatMap({ ProcessTable.process($0.identifier) }) {
            leader.send(.hangUp)
            leader.send(.continue)
        }
        group?.signal(.hangUp)
        killOpenFiles()
        device.hangUp()
    }

    /// Files opened so far read as ended and cannot be written any more.
    private func killOpenFiles() {
        device.flushOutput()
        state.withLock { state in
            state.hangUps &+= 1
            state.discipline.flushInput()
            state.discipline.echo.removeAll()
            state.isExclusive = false
        }
        unthrottleIfPossible()
        input.wakeAll()
        output.wakeAll()
    }
}

extension LinuxTask {
    /// Ignores or blocks a signal, so that it would not stop.
    func isDeaf(to signal: Signal) -> Bool {
        blocked.contains(signal) || process.actions[signal].isIgnored
    }
}
