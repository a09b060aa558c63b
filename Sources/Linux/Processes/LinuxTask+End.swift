// The end of a thread, on its own stack: everything it holds is given back in an order that lets others
// see a consistent picture. The last thread of a process ends the process.

import Primitives
import Synchronization
import Tasks

extension LinuxTask {
    /// Asks for the end of this thread alone when it next returns to user mode (`exit`).
    func beginEnd(_ status: Int32) {
        process.signals.withLockInterruptsOff { _, _ in
            isEnding = true
            endStatus = status
        }
        thread.setFlags(.signalPending)
    }

    /// Ends the thread; afterwards only `Thread.exit` is left to do.
    func end(_ task: borrowing TaskContext) {
        isEnding = true
        let isLast = process.isLastThread(self)
        releaseUserMemory(task)
        Thread.useAddressSpace(nil)
        if isLast {
            process.replaceAddressSpace(nil)
            process.releaseImage(name: thread.name)
            process.timers.cancelAll(task)
            process.releaseTerminal()
        }
        releaseTables()
        leaveProcess(task)
    }

    /// Ends the program that runs, since the kernel failed in its name: all of its threads, as if by SIGSEGV. What the
    /// thread held in the kernel it holds for ever.
    /// - Returns: false when the thread belongs to no program; if true, only `Thread.exit` is left to do.
    public static func endCurrentAfterOops(_ task: borrowing TaskContext) -> Bool {
        guard Thread.current.userObject != nil else { return false }
        let current = LinuxTask.current
        current.process.beginExit(Int32(Signal.segmentation.number))
        current.end(task)
        return true
    }

    /// What user programs learn of the end through memory: futexes held, the thread's number cleared, the parent
    /// of a vfork released.
    func releaseUserMemory(_ task: borrowing TaskContext) {
        releaseRobustFutexes(task)
        clearThreadNumber(task)
        releaseForkParent()
    }

    /// CLONE_CHILD_CLEARTID: whoever joins this thread waits for its number to become 0.
    private func clearThreadNumber(_ task: borrowing TaskContext) {
        let address = clearThreadIdentifier
        clearThreadIdentifier = 0
        // Nobody else could look.
        guard address != 0, process.sharesAddressSpace || process.threadCount > 1 else { return }
        do throws(Errno) {
            try SystemCalls.store(Int32(0), to: address, task)
            _ = try Futex.wake(address, count: 1, isPrivate: false, task)
        } catch {
            // The program gave an address it may not write: its own loss.
        }
    }

    /// Lets a parent that waits in vfork go on.
    func releaseForkParent() {
        let gate = forkGate
        forkGate = nil
        gate?.open()
    }

    /// Takes files and directories out, so that they are closed now and not when a zombie is reaped.
    private func releaseTables() {
        var oldFiles = DescriptorTable.ended
        var oldFileSystem = FileSystemContext.ended ?? fileSystem
        lock.withLock { _ in
            swap(&files, &oldFiles)
            swap(&fileSystem, &oldFileSystem)
        }
    }

    /// Leaves the list of the process's threads, and ends the process if it was the last.
    private func leaveProcess(_ task: borrowing TaskContext) {
        var released: SignalRecord?
        var stopped = false
        let isLast = process.signals.withLockInterruptsOff { signals, _ in
            SignalRecord.join(pending.remove(.all), to: &released)
            signals.endedThreads += CPUUsage(thread)
            signals.threads.remove(self)
            if identifier == process.identifier { signals.firstThreadStatus = endStatus }
            if signals.threads.isEmpty {
                SignalRecord.join(signals.shared.remove(.all), to: &released)
                return true
            }
            // What only this thread would have taken goes to others; a stop may be complete without it.
            signals.offer(signals.shared.pending, besides: self)
            if signals.isStopped, !signals.unreportedStop {
                signals.unreportedStop = true
                stopped = true
            }
            return false
        }
        SignalRecord.release(chain: released)
        account.threads.wrappingSubtract(1, ordering: .relaxed)
        if isLast {
            process.end(by: self, task)
        } else {
            if stopped { process.notifyParent(of: .stopped) }
            process.threadEnded(self)
        }
    }
}
