// Requesting, freeing, enabling and disabling lines: what drivers see.

import Machine
import Primitives

public enum IRQ {
    /// A handler on a line; keep it to free the line.
    public struct Registration: Equatable, Sendable {
        public let line: Int
        let word: UInt
        let function: UInt
    }

    /// How many line numbers there are.
    public static var count: Int { unsafe IRQLines.count }

    /// Puts `handler` on the line of that number; the first one on a line gives it a vector and unmasks it.
    /// Task context or boot; allocates.
    public static func request(line number: Int, flags: IRQFlags = [], handler: IRQHandler) throws(IRQError)
        -> Registration
    {
        guard let line = unsafe IRQLines.line(number) else { throw .noSuchLine }
        let registration = Registration(
            line: number, word: handler.word, function: unsafe unsafeBitCast(handler.function, to: UInt.self))
        // A vector is taken first, since that has a lock of its own; it is given back if it is not needed.
        let fixed = unsafe line.pointee.chip.fixedTarget
        let spare: InterruptTarget
        if let fixed { spare = fixed } else { spare = try VectorAllocator.allocate(in: cpus(for: number)) }
        var failure: IRQError?
        var isUsed = false
        unsafe line.pointee.whenIdle { state in
            do throws(IRQError) {
                isUsed = unsafe try line.pointee.add(handler, registration, flags, spare, &state)
            } catch {
                failure = error
            }
        }
        if !isUsed, fixed == nil { VectorAllocator.free(spare) }
        if let failure { throw failure }
        return registration
    }

    /// The online CPUs of the line's affinity, or all that are online.
    private static func cpus(for number: Int) -> CPUMask {
        let wanted = affinity(line: number)?.intersection(CPUs.online) ?? CPUs.online
        return wanted.isEmpty ? CPUs.online : wanted
    }

    /// Takes the handler off its line, and returns when it runs nowhere any more. The last one's leaving masks the
    /// line. Task context; not from the handler itself.
    public static func free(_ registration: Registration) throws(IRQError) {
        guard let line = unsafe IRQLines.line(registration.line) else { throw .noSuchLine }
        var removed = IRQLine.Removed()
        unsafe line.pointee.whenIdle { state in
            unsafe removed = line.pointee.remove(registration, &state)
        }
        guard removed.wasThere else { throw .notRegistered }
        if unsafe line.pointee.chip.fixedTarget != nil {
            if let target = removed.target { CPUArea.setLine(0, vector: target.vector, cpu: target.cpu) }
            return
        }
        if let target = removed.target { release(target) }
        if let target = removed.previous { release(target) }
    }

    /// Masks the line, after which each `disable` needs an `enable`. Does not wait for handlers that run. Any context but
    /// NMI, also from the line's handler.
    public static func disableNoWait(line number: Int) throws(IRQError) {
        guard let line = unsafe IRQLines.line(number) else { throw .noSuchLine }
        unsafe line.pointee.state.withLockInterruptsOff { state, _ in
            state.disableDepth += 1
            unsafe state.mask(line.pointee.chip)
        }
    }

    /// Masks the line and waits until its handlers do not run. Not from the line's handler.
    public static func disable(line number: Int) throws(IRQError) {
        try disableNoWait(line: number)
        try synchronize(line: number)
    }

    /// Undoes one `disable`; the last one unmasks the line. An edge that came meanwhile is handled now.
    public static func enable(line number: Int) throws(IRQError) {
        guard let line = unsafe IRQLines.line(number) else { throw .noSuchLine }
        let wasDisabled = unsafe line.pointee.state.withLockInterruptsOff { state, _ in
            unsafe line.pointee.enable(&state)
        }
        if !wasDisabled { throw .notDisabled }
    }

    /// Waits until no handler of the line runs. Not from the line's handler.
    public static func synchronize(line number: Int) throws(IRQError) {
        guard let line = unsafe IRQLines.line(number) else { throw .noSuchLine }
        unsafe line.pointee.whenIdle { _ in }
    }

    /// The thread of a handler of a one-shot line has done its work: with the last one the line is unmasked. Any context
    /// but NMI.
    public static func threadEnded(line number: Int) {
        guard let line = unsafe IRQLines.line(number) else { return }
        unsafe line.pointee.state.withLockInterruptsOff { state, _ in
            guard state.isOneShot, state.threadsRunning > 0 else { return }
            state.threadsRunning -= 1
            unsafe line.pointee.resume(&state)
        }
    }

    /// Looks after the lines that came too often; whether to come again in 10 ms.
    public static func poll(_ context: borrowing HardInterruptContext) -> Bool {
        var isNeeded = false
        for number in 0..<count {
            guard let line = unsafe IRQLines.line(number) else { continue }
            if unsafe line.pointee.poll(context) { isNeeded = true }
        }
        return isNeeded
    }
}
