// A process group: the processes of one pipeline, which a terminal signals together.

import Primitives

public final class ProcessGroup: @unchecked Sendable {
    public let identifier: Int32
    public let session: Session
    /// Under the process table's lock.
    var members = ObjectList<Process>(.group)

    init(_ identifier: Int32, _ session: Session) {
        self.identifier = identifier
        self.session = session
    }

    /// Sends a signal of the kernel's own to every member. Any context but NMI; linear in the members.
    public func signal(_ signal: Signal) {
        ProcessTable.lock.withLockInterruptsOff { _, _ in
            members.forEach { process in
                process.send(signal)
                return true
            }
        }
    }

    /// True if no member has a parent in another group of the same session, so that nobody would
    /// continue it when it stops (POSIX: orphaned process group).
    public var isOrphaned: Bool {
        ProcessTable.lock.withLockInterruptsOff { _, _ in isOrphaned(without: nil) }
    }

    /// The same under the process table's lock, as if `leaving` were gone already.
    func isOrphaned(without leaving: Process?) -> Bool {
        var orphaned = true
        members.forEach { process in
            if process === leaving || process.isZombie { return true }
            if let parent = process.parent, parent.identifier != 1, parent.groupUnderLock !== self,
                parent.sessionUnderLock === session
            {
                orphaned = false
                return false
            }
            return true
        }
        return orphaned
    }

    /// Whether a member is stopped. Under the process table's lock.
    var hasStoppedMember: Bool {
        var stopped = false
        members.forEach { process in
            stopped = process.isStopped
            return !stopped
        }
        return stopped
    }
}
