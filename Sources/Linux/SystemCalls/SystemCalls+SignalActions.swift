// What to do on a signal and which ones to hold back: rt_sigaction, rt_sigprocmask, rt_sigpending,
// sigaltstack.

import Machine
import Primitives

extension SystemCalls {
    /// The only size of a signal set that x86-64 knows.
    static let signalSetSize: UInt = 8

    static func rt_sigaction(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a3 == signalSetSize else { throw .invalid }
        let new = arguments.a1 == 0 ? nil : try load(SignalAction.self, from: arguments.a1, task)
        guard let signal = try signal(arguments.a0), new == nil || !signal.isUnblockable else {
            throw .invalid
        }
        let process = LinuxTask.current.process
        let old = new.map { process.setAction($0, for: signal) } ?? process.actions[signal]
        if arguments.a2 != 0 { try store(old, to: arguments.a2, task) }
        return 0
    }

    static func rt_sigprocmask(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a3 == signalSetSize else { throw .invalid }
        let old = LinuxTask.withCurrent { $0.blocked }
        if arguments.a1 != 0 {
            let set = SignalSet(bits: try load(UInt64.self, from: arguments.a1, task))
            let new: SignalSet
            switch arguments.a0.asInt32 {
            case 0: new = old | set  // SIG_BLOCK
            case 1: new = old - set  // SIG_UNBLOCK
            case 2: new = set  // SIG_SETMASK
            default: throw .invalid
            }
            LinuxTask.withCurrent { $0.setBlocked(new) }
        }
        if arguments.a2 != 0 { try store(old.bits, to: arguments.a2, task) }
        return 0
    }

    static func rt_sigpending(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        guard arguments.a1 <= signalSetSize else { throw .invalid }
        let current = LinuxTask.current
        var pending = current.process.signals.withLockInterruptsOff { signals, _ in
            ((signals.shared.pending | current.pending.pending) & current.blocked).bits
        }
        for index in 0..<arguments.a1 {
            try store(UInt8(truncatingIfNeeded: pending), to: arguments.a0 &+ index, task)
            pending >>= 8
        }
        return 0
    }

    static func sigaltstack(
        _ task: borrowing TaskContext, _ arguments: SystemCallArguments
    ) throws(Errno) -> Int {
        let current = LinuxTask.current
        let old = current.alternateStack
        let pointer = current.userStackPointer
        if arguments.a0 != 0 {
            let new = try load(StackDescription.self, from: arguments.a0, task)
            try current.setAlternateStack(new, stackPointer: pointer)
        }
        if arguments.a1 != 0 {
            try store(
                StackDescription(base: old.base, flags: old.reportedFlags(pointer), size: old.size),
                to: arguments.a1, task)
        }
        return 0
    }
}

/// `stack_t`.
struct StackDescription {
    var base: UInt
    var flags: UInt32
    private var padding: UInt32 = 0
    var size: UInt

    init(base: UInt, flags: UInt32, size: UInt) {
        self.base = base
        self.flags = flags
        self.size = size
    }
}

extension LinuxTask {
    /// The rules of sigaltstack(2).
    func setAlternateStack(_ new: StackDescription, stackPointer: UInt) throws(Errno) {
        guard !alternateStack.contains(stackPointer) else { throw .notPermitted }
        let mode = new.flags & ~AlternateStack.autoDisarm
        guard mode == 0 || mode == AlternateStack.disabled || mode == AlternateStack.onStack else {
            throw .invalid
        }
        if mode == AlternateStack.disabled {
            alternateStack = AlternateStack(base: 0, size: 0, flags: new.flags)
            return
        }
        guard new.size >= AlternateStack.minimumSize else { throw .noMemory }
        alternateStack = AlternateStack(base: new.base, size: new.size, flags: new.flags)
    }
}
