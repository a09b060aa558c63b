// What a process wants done on each signal: `struct sigaction` of the kernel's ABI, 64 of them.

import Primitives

/// One entry as `rt_sigaction` passes it (asm/signal.h: handler, flags, restorer, mask).
public struct SignalAction: BitwiseCopyable, Sendable {
    public var handler: UInt = 0
    public var flags: UInt = 0
    public var restorer: UInt = 0
    public var mask = SignalSet()

    public init() {}

    public static let defaultHandler: UInt = 0  // SIG_DFL
    public static let ignoreHandler: UInt = 1  // SIG_IGN

    /// Flags of `sa_flags`.
    public enum Flag {
        public static let noChildStop: UInt = 0x1  // SA_NOCLDSTOP
        public static let noChildWait: UInt = 0x2  // SA_NOCLDWAIT
        public static let information: UInt = 0x4  // SA_SIGINFO
        public static let unsupported: UInt = 0x400  // SA_UNSUPPORTED
        public static let exposeTagBits: UInt = 0x800  // SA_EXPOSE_TAGBITS
        public static let restorer: UInt = 0x0400_0000  // SA_RESTORER
        public static let onStack: UInt = 0x0800_0000  // SA_ONSTACK
        public static let restart: UInt = 0x1000_0000  // SA_RESTART
        public static let noDefer: UInt = 0x4000_0000  // SA_NODEFER
        public static let resetHand: UInt = 0x8000_0000  // SA_RESETHAND
        /// What the kernel knows; other bits are dropped, as programs that probe for them expect.
        public static let known: UInt =
            noChildStop | noChildWait | information | exposeTagBits | restorer | onStack | restart | noDefer
            | resetHand
    }

    @inline(__always)
    public func has(_ flag: UInt) -> Bool { flags & flag != 0 }

    public var isDefault: Bool { handler == Self.defaultHandler }
    public var isIgnored: Bool { handler == Self.ignoreHandler }

    public var isCaught: Bool { handler > Self.ignoreHandler }

    /// True if the signal does nothing at all: ignored, or ignored by default.
    public func ignores(_ signal: Signal) -> Bool {
        isIgnored
            || (isDefault && (signal.defaultAction == .ignore || signal.defaultAction == .continue))
    }
}

/// The actions of all signals. Shared by the threads of a process, and by processes that
/// `clone(CLONE_SIGHAND)` made; a fork has a copy.
public final class SignalActions: Sendable {
    /// 64 of them, shared by copies until one of them changes. Innermost lock of the signals' locks; interrupts off.
    private let table: SpinLock<[SignalAction]>

    /// What every table begins with: the default for all.
    private static let defaults = [SignalAction](repeating: SignalAction(), count: 64)

    public init() { table = SpinLock(Self.defaults) }

    private init(_ actions: [SignalAction]) { table = SpinLock(actions) }

    @inline(__always)
    private func index(_ signal: Signal) -> Int { Int(signal.number &- 1) & 63 }

    public subscript(signal: Signal) -> SignalAction {
        table.withLockInterruptsOff { actions, _ in actions[index(signal)] }
    }

    /// Sets an action and returns the one before.
    @discardableResult
    public func set(_ action: SignalAction, for signal: Signal) -> SignalAction {
        table.withLockInterruptsOff { actions, _ in
            let old = actions[index(signal)]
            actions[index(signal)] = action
            return old
        }
    }

    /// For a fork.
    public func copy() -> SignalActions {
        SignalActions(table.withLockInterruptsOff { actions, _ in actions })
    }

    /// The actions after `execve`: what had a handler has the default again, what was ignored stays so.
    public func resetForExecution() {
        table.withLockInterruptsOff { actions, _ in
            for each in 0..<64 {
                let ignored = actions[each].isIgnored
                actions[each] = SignalAction()
                if ignored { actions[each].handler = SignalAction.ignoreHandler }
            }
        }
    }

    /// The same where interrupts are off.
    @inline(__always)
    func action(on signal: Signal, _ off: borrowing InterruptsOff) -> SignalAction {
        table.withLock(off) { actions in actions[index(signal)] }
    }

    /// The action for a signal about to be taken; a one-shot handler (SA_RESETHAND) is reset.
    @inline(__always)
    func take(_ signal: Signal, _ off: borrowing InterruptsOff) -> SignalAction {
        let action = action(on: signal, off)
        if action.has(SignalAction.Flag.resetHand), action.isCaught { return reset(signal, off) }
        return action
    }

    @inline(never)
    private func reset(_ signal: Signal, _ off: borrowing InterruptsOff) -> SignalAction {
        table.withLock(off) { actions in
            // Looked at again: processes may share the table.
            let action = actions[index(signal)]
            if action.has(SignalAction.Flag.resetHand), action.isCaught {
                actions[index(signal)].handler = SignalAction.defaultHandler
            }
            return action
        }
    }

    /// The signals that do nothing now, and those that have a handler (for `/proc/PID/status`).
    public var ignoredAndCaught: (ignored: SignalSet, caught: SignalSet) {
        table.withLockInterruptsOff { actions, _ in
            var ignored = SignalSet()
            var caught = SignalSet()
            for each in 0..<64 {
                let signal = Signal(UInt8(each + 1))
                if actions[each].isIgnored {
                    ignored.insert(signal)
                } else if !actions[each].isDefault {
                    caught.insert(signal)
                }
            }
            return (ignored, caught)
        }
    }
}
