// A session: the process groups of one log-in, which share a controlling terminal.

import Primitives

/// What a session asks of its controlling terminal. The terminal and its session refer to each other;
/// `Session.terminal = nil` and the terminal's own disassociation break that.
public protocol ControllingTerminal: AnyObject {
    /// The session's leader ended or gave the terminal up: hang up, signal the foreground group,
    /// forget the session. Called from task context, without locks.
    func sessionLeaderLeft(_ session: Session)
    /// Device number as `stat` shows it, for `/proc/PID/stat`.
    var deviceNumber: UInt32 { get }
    /// The foreground process group's number, or -1.
    var foregroundGroupIdentifier: Int32 { get }
}

public final class Session: @unchecked Sendable {
    public let identifier: Int32
    /// The process that made the session, until it ends. Under the process table's lock.
    var hasLeader = true
    /// Process groups in this session; the session ends with the last. Under the process table's lock.
    var groupCount = 0
    /// Under the process table's lock; read and set through `controllingTerminal`.
    var terminal: (any ControllingTerminal)?

    init(_ identifier: Int32) { self.identifier = identifier }

    /// The terminal that its processes reach as `/dev/tty`. Any context but NMI.
    public var controllingTerminal: (any ControllingTerminal)? {
        get { ProcessTable.lock.withLockInterruptsOff { _, _ in terminal } }
        set {
            // The old one is released outside the lock.
            var value = newValue
            ProcessTable.lock.withLockInterruptsOff { _, _ in swap(&terminal, &value) }
        }
    }
}
