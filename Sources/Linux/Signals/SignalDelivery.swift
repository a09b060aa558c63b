// What a thread does about its signals before it returns to user mode: ends, stops, or enters a handler.
//
// `ReturnToUserHook` calls `work` as long as the thread's flags are set. Each turn takes one signal. The end of a
// thread happens here and nowhere else: `exit` and deadly signals only leave a note, so that no function
// below holds a reference when the thread goes away for ever.

import Interrupts
import Machine
@_spi(ContextEntry) import Primitives
import Tasks

enum SignalDelivery {
    /// What to do next.
    enum Step {
        /// Nothing is left to do.
        case none
        /// Enter a handler.
        case handle(SignalInformation, SignalAction)
        /// End the thread; the whole process is ending, or only this thread is.
        case end
        /// Something was done; look again.
        case again
    }

    /// Installed as the hook of the return to user mode.
    static func install() {
        unsafe ReturnToUserHook.work = { registers in
            // The exit path runs on behalf of the thread, with interrupts on.
            if unsafe SignalDelivery.work(registers, TaskContext()) { Thread.exit(TaskContext()) }
        }
        unsafe UserExceptionHook.deliver = { registers, signal, code, address, trap, error in
            // The exception came from user mode; its entry path runs on behalf of the thread.
            unsafe SignalDelivery.raise(registers, signal, code, address, trap, error)
        }
    }

    /// One turn; true if the thread is over and has nothing left.
    static func work(_ registers: UnsafeMutablePointer<PtRegs>, _ task: borrowing TaskContext) -> Bool {
        let current = LinuxTask.current
        if current.thread.flags.contains(.notifyResume) {
            unsafe current.resume(&registers.pointee, task)
        }
        while true {
            switch next(current, task) {
            case .again: continue
            case .end:
                current.end(task)
                return true
            case .handle(let information, let action):
                // The entry path's frame on this thread's stack; nobody else uses it.
                unsafe handle(information, action, &registers.pointee, current, task)
                return false
            case .none:
                unsafe SystemCallRestart.withoutHandler(&registers.pointee, current)
                current.restoreSavedMask()
                return false
            }
        }
    }

    /// What the lock's holder found to do.
    private enum Found {
        case nothing, end, stop
        case notice(ProcessSignals.StopNotice)
        case signal(SignalInformation, SignalAction)
    }

    /// Looks at what is pending, and does what needs no handler.
    private static func next(_ current: LinuxTask, _ task: borrowing TaskContext) -> Step {
        let process = current.process
        var released: SignalRecord?
        let found = process.signals.withLockInterruptsOff { signals, _ in
            find(&signals, current, &released)
        }
        SignalRecord.release(chain: released)
        switch found {
        case .nothing: return .none
        case .end: return .end
        case .notice(let notice):
            process.notifyParent(of: notice)
            return .again
        case .stop:
            process.stopHere(current, task)
            return .again
        case .signal(let information, let action): return act(on: information, action, current)
        }
    }

    /// Under `process.signals`.
    private static func find(
        _ signals: inout ProcessSignals, _ current: LinuxTask, _ released: inout SignalRecord?
    ) -> Found {
        if current.isEnding || signals.groupExit != nil { return .end }
        if let due = signals.noticeDue {
            signals.noticeDue = nil
            return .notice(due)
        }
        if signals.stopSignal != nil { return .stop }
        guard let taken = current.takeSignal(&signals, notIn: current.blocked) else {
            current.updatePendingFlag(signals)
            return .nothing
        }
        released = taken.record
        let signal = taken.information.signal
        if SignalSet.stopping.contains(signal) { signals.stopIsValid = true }
        return .signal(taken.information, current.process.actions.take(signal))
    }

    /// What a taken signal does.
    private static func act(
        on information: SignalInformation, _ action: SignalAction, _ current: LinuxTask
    ) -> Step {
        let signal = information.signal
        let process = current.process
        if action.isIgnored { return .again }
        if !action.isDefault { return .handle(information, action) }
        switch signal.defaultAction {
        case .ignore, .continue: return .again
        case .stop:
            // Nobody would continue an orphaned group; only SIGSTOP stops it all the same.
            if process.isUnkillable || (signal != .stop && process.group.isOrphaned) { return .again }
            process.beginStop(signal)
            return .again
        case .terminate, .core:
            if process.isUnkillable { return .again }
            if signal.defaultAction == .core { current.reportCrash(information) }
            process.beginExit(Int32(signal.number))
            return .end
        }
    }

    /// Builds the frame of a handler; if its stack cannot take it, the process gets SIGSEGV instead.
    private static func handle(
        _ information: SignalInformation, _ action: SignalAction, _ registers: inout PtRegs,
        _ current: LinuxTask, _ task: borrowing TaskContext
    ) {
        SystemCallRestart.withHandler(&registers, action, current)
        do throws(Errno) {
            try current.enterHandler(information, action, &registers, task)
        } catch {
            current.forceSegmentationFault(information.signal)
        }
    }
}
