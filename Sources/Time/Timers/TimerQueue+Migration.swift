// The timers of a CPU that has gone.

import Machine
import Primitives
import Synchronization

extension ClockEvents {
    /// Takes over the timers of `cpu`, which runs no more. They fire here, at their times. Any context but NMI.
    public static func takeOver(from cpu: Int) {
        withInterruptsOff { off in
            unsafe TimerBase.takeOver(from: cpu, off)
            while unsafe TimerQueue.moveOne(from: cpu) {}
            unsafe TimeState.current.pointee.queues.withRemote(cpu) { queue in
                unsafe queue.heads.withLockInterruptsOff { heads, _ in
                    // Its device is off: the first timer after its return sets it.
                    unsafe heads.event = .max
                    unsafe heads.sliceEnd = .max
                    unsafe heads.wheelEvent = .max
                    unsafe heads.deferrableEvent = .max
                    unsafe heads.isExpiring = false
                }
            }
        }
    }
}

extension TimerQueue {
    /// Moves the first timer of a dead CPU to this one; false if it has none. Interrupts are off.
    fileprivate static func moveOne(from cpu: Int) -> Bool {
        let here = CPU.index
        let timer = unsafe TimeState.current.pointee.queues.withRemote(cpu) { queue in
            unsafe queue.heads.withLockInterruptsOff { heads, _ in unsafe queue.takeFirst(&heads) }
        }
        guard let timer = unsafe timer else { return false }
        unsafe TimeState.current.pointee.queues.withRemote(here) { queue in
            unsafe queue.heads.withLockInterruptsOff { heads, _ in
                // Nobody else touches a timer that moves.
                let time = unsafe timer.pointee.expiry.load(ordering: .relaxed)
                unsafe timer.pointee.cpu.store(Int32(truncatingIfNeeded: here), ordering: .releasing)
                unsafe queue.insert(&heads, timer, at: time)
            }
        }
        return true
    }

    private borrowing func takeFirst(_ heads: inout Heads) -> TimerCore.Pointer? {
        let first = unsafe heads.monotonic.first ?? heads.realtime.first
        guard let first = unsafe first else { return nil }
        let timer = unsafe TimerQueue.timer(of: first)
        unsafe take(&heads, timer)
        unsafe timer.pointee.cpu.store(TimerCore.moving, ordering: .relaxed)
        return unsafe timer
    }
}
