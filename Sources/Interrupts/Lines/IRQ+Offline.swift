// Lines that leave a CPU which is being switched off.

import Machine
import Primitives

extension IRQ {
    /// Moves each line of `cpu` to an online CPU, one of its affinity if there is one. What is on its way to the old CPU is
    /// handled there, as long as that runs. Task context.
    public static func moveAway(from cpu: Int) {
        for number in 0..<count where effectiveCPU(line: number) == cpu {
            guard let line = unsafe IRQLines.line(number) else { continue }
            let kept = unsafe line.pointee.state.withLockInterruptsOff { state, _ in state.affinity }
            let wanted = (kept ?? .all).intersection(CPUs.online)
            if wanted.isEmpty { printk(.info, "IRQ \(number): no longer affine to CPU \(cpu)") }
            do throws(IRQError) {
                try setAffinity(line: number, wanted.isEmpty ? CPUs.online : wanted)
            } catch { printk(.error, "IRQ \(number) cannot leave CPU \(cpu)") }
            unsafe line.pointee.state.withLockInterruptsOff { state, _ in
                state.affinity = wanted.isEmpty ? nil : kept
            }
        }
    }

    /// Gives back the vectors that lines still had on `cpu`, which runs no more.
    public static func forget(_ cpu: Int) {
        for number in 0..<count {
            guard let line = unsafe IRQLines.line(number) else { continue }
            let old = unsafe line.pointee.state.withLockInterruptsOff { state, _ -> InterruptTarget? in
                guard let previous = state.previous, previous.cpu == cpu else { return nil }
                state.previous = nil
                return previous
            }
            if let old { release(old) }
        }
    }
}
