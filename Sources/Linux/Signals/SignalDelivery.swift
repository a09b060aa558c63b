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
    private enum Step {
        /// Nothing is left to do.
        case none
        /// Enter the handler of the signal that was taken.
        case handle
        /// End the thread; the whole process is ending, or only this thread is.
        case end
        /// Something was done; look again.
        case again
    }

    /// Installed as the hook of the return to user mode.
    static func install() {
        ExtendedState.install()
        unsafe ReturnToUserHook.work = { registers in
            // The exit path runs on behalf of the thread, with interrupts on.
            if unsafe SignalDelivery.work(registers, TaskContext()) { Thread.exit(TaskContext()) }
        }
        unsafe UserExceptionHook.deliver = { registers, signal, code, address, trap, error in
            // The exception came from user mode; its entry path runs on behalf of the thread.
            unsafe SignalDelivery.raise(registers, signal, code, address, trap, error, TaskContext())
        }
    }

    /// One turn; true if the thread is over and has nothing left.
    static func work(_ registers: UnsafeMutablePointer<PtRegs>, _ task: borrowing TaskContext) -> Bool {
        LinuxTask.withCurrent { current in
            if current.thread.flags.contains(.notifyResume) {
                unsafe current.resume(&registers.pointee, task)
            }
            while true {
                switch next(current, task) {
                case .again: continue
                case .end:
                    current.end(task)
                    return true
                case .handle:
                    // The entry path's frame on this thread's stack; nobody else uses it.
                    unsafe SystemCallRestart.withHandler(&registers.pointee, current.taken.action, current)
                    unsafe handle(&registers.pointee, current, task)
                    return false
                case .none:
                    unsafe SystemCallRestart.withoutHandler(&registers.pointee, current)
                    current.restoreSavedMask()
                    return false
                }
            }
        }
    }

    /// What the lock's holder found to do.
    private enum Found {
        case nothing, end, stop, stopNotice, continueNotice
        /// A signal, with a handler or without.
        case caught, uncaught
    }

    /// Looks at what is pending, and does what needs no handler.
    @inline(__always)
    private static func next(_ current: LinuxTask, _ task: borrowing TaskContext) -> Step {
        var released: SignalRecord?
        let found = current.process.signals.withLockInterruptsOff { signals, off in
            find(&signals, current, &released, off)
        }
        if let released { SignalRecord.release(chain: released) }
        switch found {
        case .nothing: return .none
        case .caught: return .handle
        case .end: return .end
        case .stopNotice, .continueNotice:
            current.process.notifyParent(of: found == .stopNotice ? .stopped : .continued)
            return .again
        case .stop:
            current.process.stopHere(current, task)
            return .again
        case .uncaught: return act(current)
        }
    }

    /// Under `process.signals`.
    @inline(__always)
    private static func find(
        _ signals: inout ProcessSignals, _ current: LinuxTask, _ released: inout SignalRecord?,
        _ off: borrowing InterruptsOff
    ) -> Found {
        if signals.hasUrgentWork(for: current) { return findUrgent(&signals, current) }
        guard
            current.takeSignal(
                &signals, notIn: current.blocked, &current.taken.frame.information, &released)
        else {
            current.updatePendingFlag(signals)
            return .nothing
        }
        let signal = current.taken.signal
        if SignalSet.stopping.contains(signal) { signals.stopIsValid = true }
        let action = current.process.takeAction(on: signal, off)
        current.taken.action = action
        guard action.isCaught else { return .uncaught }
        maskForHandler(signal, action, current, &signals)
        return .caught
    }

    /// What comes before all signals. Under `process.signals`.
    private static func findUrgent(_ signals: inout ProcessSignals, _ current: LinuxTask) -> Found {
        if current.isEnding || signals.groupExit != nil { return .end }
        guard let due = signals.noticeDue else { return .stop }
        signals.noticeDue = nil
        return due == .stopped ? .stopNotice : .continueNotice
    }

    /// Blocks what the handler does not want to be disturbed by. Under `process.signals`.
    @inline(__always)
    private static func maskForHandler(
        _ signal: Signal, _ action: SignalAction, _ current: LinuxTask, _ signals: inout ProcessSignals
    ) {
        let blocked = current.blocked
        current.taken.blocked = blocked
        current.taken.savedMask = current.savedMask
        current.savedMask = nil
        var mask = blocked | action.mask
        if !action.has(SignalAction.Flag.noDefer) { mask.insert(signal) }
        current.setBlocked(mask, &signals)
    }

    /// What a signal without a handler does.
    private static func act(_ current: LinuxTask) -> Step {
        let signal = current.taken.signal
        let process = current.process
        if current.taken.action.isIgnored { return .again }
        switch signal.defaultAction {
        case .ignore, .continue: return .again
        case .stop:
            // Nobody would continue an orphaned group; only SIGSTOP stops it all the same.
            if process.isUnkillable || (signal != .stop && process.group.isOrphaned) { return .again }
            process.beginStop(signal)
            return .again
        case .terminate, .core:
            if process.isUnkillable { return .again }
            if signal.defaultAction == .core { current.reportCrash(current.taken.frame.information) }
            process.beginExit(Int32(signal.number))
            return .end
        }
    }

    /// Builds the frame of a handler; if its stack cannot take it, the process gets SIGSEGV instead.
    private static func handle(
        _ registers: inout PtRegs, _ current: LinuxTask, _ task: borrowing TaskContext
    ) {
        do throws(Errno) {
            try current.enterHandler(&registers, task)
        } catch {
            current.forceSegmentationFault()
        }
    }

    // MARK: Exceptions

    /// Enters the handler of a signal that an instruction of the running thread raised, without a queue. False if that
    /// signal is held back, ignored or without a handler, or the thread has something to do before.
    @inline(__always)
    static func handleAtOnce(
        _ information: SignalInformation, _ registers: inout PtRegs, _ current: LinuxTask,
        _ task: borrowing TaskContext
    ) -> Bool {
        let signal = information.signal
        guard !current.blocked.contains(signal) else { return false }
        let isCaught = current.process.signals.withLockInterruptsOff { signals, off in
            if signals.hasUrgentWork(for: current) { return false }
            let action = current.process.takeAction(on: signal, off)
            guard action.isCaught else { return false }
            current.taken.action = action
            current.taken.frame.information = information
            maskForHandler(signal, action, current, &signals)
            return true
        }
        if isCaught { handle(&registers, current, task) }
        return isCaught
    }
}
