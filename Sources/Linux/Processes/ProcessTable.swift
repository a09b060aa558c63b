// All processes, and the lock of their family tree.
//
// Ownership: the table owns each `Process`, its tasks, groups and sessions by number until they are
// taken out (the last thread of a process that nobody waits for, or the parent's wait). A task holds its
// process; a process lists its tasks, children and group fellows without owning them. No cycle but the
// one of a session and its terminal, which the terminal breaks.
//
// Locks, outermost first: `ProcessTable.lock`, `Process.signals`, `SignalActions`, run queues.

import Primitives
import Synchronization

public enum ProcessTable {
    /// Guards numbers, parents and children, groups, sessions and the ends of processes. Interrupts
    /// off, since a terminal's interrupt signals a group.
    static let lock = SpinLock(PidTable())

    /// Times a process or thread was made since boot, for `/proc/stat`.
    static let forks = Atomic<UInt64>(0)

    /// The process of this number (a thread group's), also a zombie. Any context but NMI.
    public static func process(_ identifier: Int32) -> Process? {
        lock.withLockInterruptsOff { table, _ in table.process(identifier) }
    }

    /// The thread of this number. Any context but NMI.
    public static func task(_ identifier: Int32) -> LinuxTask? {
        lock.withLockInterruptsOff { table, _ in table.task(identifier) }
    }

    /// Calls `body` for every thread. Task context; threads that come or go meanwhile may be missed.
    static func forEachTask(_ body: (LinuxTask) -> Void) {
        var number: Int32 = 1
        while let task = nextTask(from: number) {
            number = task.identifier + 1
            body(task)
        }
    }

    private static func nextTask(from identifier: Int32) -> LinuxTask? {
        lock.withLockInterruptsOff { table, _ in
            var number = identifier
            while let each = table.next(from: number) {
                if let task = table.task(each) { return task }
                number = each + 1
            }
            return nil
        }
    }

    public static func group(_ identifier: Int32) -> ProcessGroup? {
        lock.withLockInterruptsOff { table, _ in table.group(identifier) }
    }

    /// The process with the lowest number from `identifier` up: to list `/proc`.
    public static func nextProcess(from identifier: Int32) -> Process? {
        lock.withLockInterruptsOff { table, _ in
            var number = identifier
            while let each = table.next(from: number) {
                if let process = table.process(each) { return process }
                number = each + 1
            }
            return nil
        }
    }

    /// The number given last, for `/proc/loadavg`.
    static var lastIdentifier: Int { lock.withLockInterruptsOff { table, _ in table.lastGiven } }

    /// Numbers in use.
    public static var count: Int { lock.withLockInterruptsOff { table, _ in table.count } }
}
