// The process's side of execve.

import Memory
import Primitives
import Tasks

extension Process {
    /// Ends all other threads and makes the caller the only and first one, with the process's number. Throws if
    /// the process is ending anyway.
    func endOtherThreads(than current: LinuxTask, _ task: borrowing TaskContext) throws(Errno) {
        let isAlone = try signals.withLockInterruptsOff { signals, _ throws(Errno) in
            if signals.groupExit != nil || signals.executingThread != nil { throw Errno.tryAgain }
            if signals.threads.count == 1 { return true }
            signals.executingThread = current.thread.identifier
            signals.threads.forEach { other in
                if other !== current {
                    other.isEnding = true
                    other.thread.notifySignal(fatal: true)
                    other.thread.wake(from: .stopped)
                }
                return true
            }
            return false
        }
        if !isAlone { try waitForOtherThreads(task) }
        guard current.identifier != identifier else { return }
        ProcessTable.lock.withLockInterruptsOff { table, _ in
            table.update(identifier) { $0.task = current }
            table.update(current.identifier) { $0.task = nil }
            current.identifier = identifier
        }
    }

    private func waitForOtherThreads(_ task: borrowing TaskContext) throws(Errno) {
        defer { signals.withLockInterruptsOff { signals, _ in signals.executingThread = nil } }
        do throws(Errno) {
            try threadsEnded.wait(task, interruptible: false, killable: true) {
                signals.withLockInterruptsOff { signals, _ in signals.threads.count == 1 }
            }
        } catch { throw .interrupted }
    }

    /// Puts the new program's space in place of the old one, which goes unless another process uses it.
    func replaceAddressSpace(_ space: AddressSpace?) {
        var old = space
        memory.withLock { swap(&$0, &old) }
        sharesAddressSpace = false
        _ = consume old
    }

    /// Handlers are gone; a table that was shared stays as it is for the others.
    func resetActionsForExecution() {
        let own = actions.copy()
        own.resetForExecution()
        var old = own
        signals.withLockInterruptsOff { _, _ in swap(&actions, &old) }
    }

    /// The program's file is free for writers, and its end leaves only its name.
    func releaseImage(name: ThreadName) {
        var old = ProcessImage()
        old.lastName = name
        image.withLock { swap(&$0, &old) }
        _ = consume old
    }

    func noteExecution(_ new: ProcessImage, keepsDeathSignal: Bool) {
        image.withLock { $0 = new }
        ProcessTable.lock.withLockInterruptsOff { _, _ in
            hasExecuted = true
            exitSignal = Signal.child.number
            if !keepsDeathSignal { parentDeathSignal = 0 }
        }
        isDumpable = keepsDeathSignal
    }
}

extension ProcessImage {
    init(_ program: ProgramFile, _ stack: InitialStack, commandLine: [UInt8]) {
        executable = program.file
        self.commandLine = commandLine
        arguments = stack.argumentStrings..<stack.environmentStrings
        environment = stack.environmentStrings..<stack.executedName
        stackStart = stack.pointer
    }
}
