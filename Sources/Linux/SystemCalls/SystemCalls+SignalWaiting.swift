// Waiting for signals: pause, rt_sigsuspend, rt_sigtimedwait; and rt_sigreturn, which ends a handler.

import Machine
import Primitives
import Tasks
import Time

extension SystemCalls {
    static func pause(_ task: borrowing TaskContext, _ arguments: SystemCallArguments) throws(Errno) -> Int {
        try sleepForSignal(task)
    }

    static func rt_sigsuspend(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a1 == signalSetSize else { throw .invalid }
        let mask = SignalSet(bits: try load(UInt64.self, from: arguments.a0, task))
        LinuxTask.current.setTemporaryMask(mask)
        return try sleepForSignal(task)
    }

    /// Sleeps until a signal comes; goes on sleeping if it had no handler.
    private static func sleepForSignal(_ task: borrowing TaskContext) throws(Errno) -> Int {
        do throws(Errno) {
            try Thread.park(task, interruptible: true) { false }
        } catch { throw .restartNoHandler }
        return 0
    }

    static func rt_sigtimedwait(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a3 == signalSetSize else { throw .invalid }
        let wanted = SignalSet(bits: try load(UInt64.self, from: arguments.a0, task)) - .unblockable
        var deadline: Deadline?
        if arguments.a2 != 0 {
            deadline = .after(try load(TimeSpecification.self, from: arguments.a2, task).checked())
        }
        let information = try LinuxTask.current.takeSignal(of: wanted, until: deadline, task)
        if arguments.a1 != 0 { try store(SignalReport(information), to: arguments.a1, task) }
        return Int(information.number)
    }

    static func rt_sigreturn(_ task: borrowing TaskContext) -> Int {
        LinuxTask.withCurrent { current in
            do throws(Errno) {
                return try current.leaveHandler(task)
            } catch {
                current.process.force(.kernel(.segmentation), on: current)
                return 0
            }
        }
    }
}

/// A whole `siginfo_t`: 128 bytes.
struct SignalReport: BitwiseCopyable {
    private var information: SignalInformation
    private var rest = InlineArray<10, UInt64>(repeating: 0)

    init(_ information: SignalInformation) { self.information = information }
}

extension LinuxTask {
    /// Replaces the mask until the call is over and its signals are delivered.
    func setTemporaryMask(_ mask: SignalSet) {
        savedMask = blocked
        setBlocked(mask)
    }

    /// Puts back the mask that a call replaced for its duration.
    func restoreSavedMask() {
        guard let mask = savedMask else { return }
        savedMask = nil
        setBlocked(mask)
    }

    /// Waits for one of the signals in `wanted` and takes it, without its handler. Throws `.tryAgain` at the deadline,
    /// `.interrupted` for another signal.
    fileprivate func takeSignal(
        of wanted: SignalSet, until deadline: Deadline?, _ task: borrowing TaskContext
    ) throws(Errno) -> SignalInformation {
        if let taken = takeNow(wanted) { return taken }
        var failure = Errno.tryAgain
        do throws(Errno) {
            // Senders wake this thread for what it awaits as if it were not blocked.
            setAwaited(wanted)
            defer { setAwaited(SignalSet()) }
            _ = try Thread.park(task, interruptible: true, deadline: deadline) { false }
        } catch { failure = .interrupted }
        if let taken = takeNow(wanted) { return taken }
        throw failure
    }

    private func takeNow(_ wanted: SignalSet) -> SignalInformation? {
        var released: SignalRecord?
        var information = SignalInformation(number: 0, code: 0)
        let isTaken = process.signals.withLockInterruptsOff { signals, _ in
            let isTaken = takeSignal(&signals, notIn: .all - wanted, &information, &released)
            updatePendingFlag(signals)
            return isTaken
        }
        withExtendedLifetime(released) {}
        return isTaken ? information : nil
    }

    private func setAwaited(_ wanted: SignalSet) {
        process.signals.withLockInterruptsOff { signals, _ in
            awaited = wanted & blocked
            updatePendingFlag(signals)
        }
    }
}
