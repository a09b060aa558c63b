// The timers of a CPU that has gone.

import Machine
import Primitives
import Synchronization
import TimerWheel

extension TimerBase {
    /// Takes over the timers of `cpu`, which runs no more, and gets no new ones. Interrupts are off.
    static func takeOver(from cpu: Int, _ off: borrowing InterruptsOff) {
        let here = CPU.index
        while let timer = unsafe takeAny(from: cpu, off) {
            // Nobody else touches a timer that moves.
            unsafe TimerEntry.put(timer, at: timer.pointee.node.expiry, on: here, off)
        }
    }

    private static func takeAny(from cpu: Int, _ off: borrowing InterruptsOff) -> TimerEntry.Pointer? {
        unsafe TimeState.current.pointee.bases.withRemote(cpu) { base in
            unsafe base.state.withLock(off) { state -> TimerEntry.Pointer? in
                guard let node = unsafe state.wheel.removeAny() ?? state.deferrable.removeAny() else {
                    return nil
                }
                let timer = unsafe TimerEntry.timer(of: node)
                unsafe timer.pointee.cpu.store(TimerEntry.moving, ordering: .releasing)
                return unsafe timer
            }
        }
    }
}
