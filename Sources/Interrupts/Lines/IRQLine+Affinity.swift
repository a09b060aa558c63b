// Which CPU gets a line. A line moves without being masked: its vector keeps its number, and the one register that says
// which CPU is written once, so an edge that comes at that moment reaches the one or the other, and both know the
// vector. What was on its way to the old CPU finds the line there until the next change.

import Machine
import Primitives

extension IRQ {
    /// The CPUs that may get the line: those asked for, or all.
    public static func affinity(line number: Int) -> CPUMask? {
        guard let line = unsafe IRQLines.line(number) else { return nil }
        return unsafe line.pointee.state.withLockInterruptsOff { state, _ in
            state.affinity ?? CPUMask(first: CPUs.count)
        }
    }

    /// The CPU that does get it, while somebody has the line.
    public static func effectiveCPU(line number: Int) -> Int? {
        guard let line = unsafe IRQLines.line(number) else { return nil }
        return unsafe line.pointee.state.withLockInterruptsOff { state, _ in state.target?.cpu }
    }

    /// Lets only the CPUs of `mask` have the line, and moves it at once if its CPU is not among them. Task context.
    /// `.noOnlineCPU` when none of them is online; `.cannotMove` for an 8259's line; `.noVector`.
    public static func setAffinity(line number: Int, _ mask: CPUMask) throws(IRQError) {
        guard let line = unsafe IRQLines.line(number) else { throw .noSuchLine }
        guard unsafe line.pointee.chip.canMove else { throw .cannotMove }
        let usable = mask.intersection(CPUs.online)
        guard !usable.isEmpty else { throw .noOnlineCPU }
        var failure: IRQError?
        var freed: InterruptTarget?
        // The vectors' lock is taken under the line's nowhere else in this order: see VectorAllocator.
        unsafe line.pointee.state.withLockInterruptsOff { state, _ in
            if let target = state.target, !usable.contains(target.cpu) {
                do throws(IRQError) {
                    // Back to where it came from, whose vector it still has; or to another CPU.
                    let isBack = state.previous.map { usable.contains($0.cpu) } ?? false
                    let new = isBack ? state.previous! : try VectorAllocator.move(target, to: usable)
                    CPUArea.setLine(IRQLines.place(number), vector: new.vector, cpu: new.cpu)
                    unsafe line.pointee.chip.redirect(to: new)
                    freed = isBack ? nil : state.previous
                    state.previous = target
                    state.target = new
                } catch { failure = error }
            }
            if failure == nil { state.affinity = mask }
        }
        if let freed { release(freed) }
        if let failure { throw failure }
    }

    /// Gives a vector back: from now on it is nobody's on that CPU.
    static func release(_ target: InterruptTarget) {
        CPUArea.setLine(0, vector: target.vector, cpu: target.cpu)
        VectorAllocator.free(target)
    }
}
