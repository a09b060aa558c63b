// A task and its thread: who runs now, and its registers of user mode.

import Machine
import Primitives
import Tasks
import Time

extension LinuxTask {
    /// The task that runs this code; only in task context of a user program's thread.
    @inline(__always)
    public static var current: LinuxTask {
        // The current thread's object is its task, alive as long as the thread runs.
        unsafe unsafeDowncast(Thread.current.userObject.unsafelyUnwrapped, to: LinuxTask.self)
    }

    /// Runs `body` with the running task, without counting the reference: for calls that do next to nothing.
    @inline(__always)
    static func withCurrent<R>(_ body: (LinuxTask) -> R) -> R {
        // As above; the thread replaces its object only at its end, which does not happen inside of `body`.
        unsafe Unmanaged<LinuxTask>.fromOpaque(Thread.currentUserObject.unsafelyUnwrapped)
            ._withUnsafeGuaranteedRef { body($0) }
    }

    /// The registers with which the thread returns to user mode. Of the running task.
    var userRegisters: PtRegs {
        // The thread's own frame at the top of its stack.
        unsafe thread.userRegisters.pointee
    }

    /// Changes the registers with which the thread returns to user mode. Of the running task.
    @inline(__always)
    func withUserRegisters<R>(_ body: (inout PtRegs) -> R) -> R {
        thread.setFlags(.registersReplaced)
        // The thread's own frame at the top of its stack.
        return unsafe body(&thread.userRegisters.pointee)
    }

    /// Of the running task, or of one that has not started.
    func setUserRegisters(_ registers: PtRegs) {
        unsafe thread.userRegisters.pointee = registers
        if thread.isCurrent { thread.setFlags(.registersReplaced) }
    }

    /// The registers of user mode of another task; nil if it has ended.
    var registersOfOther: PtRegs? {
        process.signals.withLockInterruptsOff { signals, _ in
            var found: PtRegs?
            signals.threads.forEach { task in
                // While it is in the list, its thread cannot get past leaving it, so its stack is there.
                if task === self { unsafe found = task.thread.userRegisters.pointee }
                return found == nil
            }
            return found
        }
    }

    var userStackPointer: UInt { unsafe UInt(thread.userRegisters.pointee.sp) }
}
