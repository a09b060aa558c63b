// What becomes of a system call that a signal interrupted (the -ERESTART* rules of Linux).
//
//                    a handler with SA_RESTART   a handler without   no handler
//   restartSystem    again                       EINTR               again
//   restartNoInterrupt  again                    again               again
//   restartNoHandler EINTR                       EINTR               again
//   restartBlock     EINTR                       EINTR               through restart_syscall
//
// "Again" puts the instruction pointer back onto the `syscall` or `int $0x80` instruction, both two bytes long,
// and the number back into rax.

import Machine
import Primitives

enum SystemCallRestart {
    /// Bytes of `syscall` and of `int $0x80`.
    private static let instructionSize: UInt64 = 2

    enum Outcome: Equatable { case unchanged, interrupted, again, throughRestart }

    /// The table above. `value` is what the call returned.
    static func outcome(of value: Int, handler: SignalAction?) -> Outcome {
        guard value < 0, value >= -516 else { return .unchanged }
        let error = Errno(Int32(truncatingIfNeeded: 0 &- value))
        switch error {
        case .restartNoInterrupt: return .again
        case .restartSystem:
            guard let handler else { return .again }
            return handler.has(SignalAction.Flag.restart) ? .again : .interrupted
        case .restartNoHandler: return handler == nil ? .again : .interrupted
        case .restartBlock: return handler == nil ? .throughRestart : .interrupted
        default: return .unchanged
        }
    }

    static func withoutHandler(_ registers: inout PtRegs, _ current: LinuxTask) {
        apply(nil, &registers, current)
    }

    static func withHandler(_ registers: inout PtRegs, _ action: SignalAction, _ current: LinuxTask) {
        apply(action, &registers, current)
    }

    private static func apply(_ action: SignalAction?, _ registers: inout PtRegs, _ current: LinuxTask) {
        // Only a system call has a number here; and each only once.
        guard Int64(bitPattern: registers.orig_ax) >= 0 else { return }
        switch outcome(of: Int(Int64(bitPattern: registers.ax)), handler: action) {
        case .unchanged: return
        case .interrupted: registers.ax = UInt64(bitPattern: Int64(-Errno.interrupted.code))
        case .again:
            registers.ax = registers.orig_ax
            registers.ip &-= instructionSize
        case .throughRestart:
            registers.ax = current.isCompatibleCall ? 0 : 219  // restart_syscall
            registers.ip &-= instructionSize
        }
        registers.orig_ax = .max
    }
}
