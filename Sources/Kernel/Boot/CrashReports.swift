// What reports of crashes ask of the rooms below the interrupts: the name of the thread, and its end.

import Interrupts
import Linux
import Machine
@_spi(ContextEntry) import Primitives
import Tasks

enum CrashReports {
    /// Boot CPU, once threads exist and before there is a second one.
    static func install() {
        unsafe PanicHooks.appendThread = { @Sendable line in CrashReports.append(to: &line) }
        unsafe OopsHook.endThread = { CrashReports.endThread() }
    }

    @inline(never)
    private static func append(to line: inout LogMessage) {
        let thread = Thread.current
        line.append("PID: ")
        line.append(decimal: UInt64(thread.identifier))
        line.append(" Comm: ")
        let name = thread.name
        for index in 0..<name.count { line.append(byte: name.bytes[index]) }
    }

    /// The thread has made the kernel fail and holds no lock that spins: it ends, with its program.
    private static func endThread() {
        let thread = Thread.current
        guard !thread.isIdle else { return }
        // The exception's entry path runs on behalf of the thread, on its stack.
        if LinuxTask.endCurrentAfterOops(TaskContext()) { return }
        Thread.exit(TaskContext())
    }
}
