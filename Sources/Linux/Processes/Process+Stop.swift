// Job control: stopping a process and telling its parent.

import Primitives
import Tasks

extension Process {
    /// Begins to stop the process for a signal that one of its threads took. Nothing happens if SIGCONT or
    /// SIGKILL came meanwhile.
    func beginStop(_ signal: Signal) {
        signals.withLockInterruptsOff { signals, _ in
            guard signals.groupExit == nil, signals.stopIsValid, signals.stopSignal == nil else { return }
            signals.stopIsValid = false
            signals.stopSignal = signal
            signals.stoppedThreads = 0
            signals.threads.forEach { task in
                task.thread.notifySignal()
                return true
            }
        }
    }

    /// Stands still until SIGCONT or SIGKILL. The last thread to do so tells the parent.
    func stopHere(_ current: LinuxTask, _ task: borrowing TaskContext) {
        let isLast = signals.withLockInterruptsOff { signals, _ in
            guard signals.stopSignal != nil else { return false }
            signals.stoppedThreads += 1
            guard signals.isStopped else { return false }
            signals.unreportedStop = true
            signals.unreportedContinue = false
            return true
        }
        if isLast { notifyParent(of: .stopped) }
        Thread.standStill(task) {
            signals.withLockInterruptsOff { signals, _ in signals.stopSignal != nil }
        }
    }

    /// Tells the parent that this process stopped or went on.
    func notifyParent(of notice: ProcessSignals.StopNotice) {
        let stop = signals.withLockInterruptsOff { signals, _ in signals.stopSignal }
        let (code, status) =
            notice == .stopped
            ? (SignalCode.childStopped, Int32(stop?.number ?? Signal.stop.number))
            : (SignalCode.childContinued, Int32(Signal.continue.number))
        ProcessTable.lock.withLockInterruptsOff { _, _ in
            guard let parent else { return }
            let action = parent.actions(under: .child)
            if !action.isIgnored, !action.has(SignalAction.Flag.noChildStop) {
                let information = childInformation(.child, code: code, status: status)
                _ = parent.send(information, to: nil, from: nil)
            }
            parent.childEvents.wakeAll()
        }
    }

    /// The action of a process that is not the caller's.
    func actions(under signal: Signal) -> SignalAction {
        signals.withLockInterruptsOff { _, _ in actions[signal] }
    }

    /// What the parent learns of this process.
    func childInformation(_ signal: Signal, code: Int32, status: Int32) -> SignalInformation {
        .child(
            signal, code: code, process: identifier, user: userIdentifier, status: status,
            userTicks: times.user / CPUUsage.nanosecondsPerTick,
            systemTicks: times.system / CPUUsage.nanosecondsPerTick)
    }
}
