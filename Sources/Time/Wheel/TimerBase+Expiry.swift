// The TIMER soft IRQ: calls what has expired on this CPU.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import TimerWheel

extension TimerBase {
    /// How many timers move to a lower level before others get the lock.
    private static let portion = 64

    /// The soft IRQ's handler. Interrupts are on before and after, and while functions run that want them.
    static func run(_ context: borrowing SoftInterruptContext) {
        unsafe TimeState.current.pointee.bases.withRemote(CPU.index) { base in
            // What expires while these run has an interrupt of its own.
            let jiffy = Jiffies.now
            InterruptFlag.disable()
            while let timer = unsafe base.begin(jiffy, InterruptsOff()) {
                // The function may free the timer.
                let wantsInterrupts = unsafe !timer.pointee.flags.contains(.interruptsOff)
                if wantsInterrupts { InterruptFlag.enable() }
                unsafe call(timer, context)
                if wantsInterrupts { InterruptFlag.disable() }
            }
            InterruptFlag.enable()
        }
    }

    /// The next timer that has expired, marked as running; nil if there is none, and then the next event is set.
    @inline(__always)
    private borrowing func begin(_ jiffy: UInt64, _ off: borrowing InterruptsOff) -> TimerEntry.Pointer? {
        while true {
            var isDone = true
            let timer = unsafe state.withLock(off) { state -> TimerEntry.Pointer? in
                // The one before may be gone.
                unsafe state.running = nil
                if let node = unsafe state.wheel.popExpired(through: jiffy, limit: Self.portion) {
                    return unsafe Self.mark(&state, node)
                }
                isDone = unsafe !state.wheel.isUnfinished
                return unsafe isDone ? finish(&state, jiffy, &isDone) : nil
            }
            if let timer = unsafe timer { return unsafe timer }
            if isDone { return nil }
            // Many timers change their places: interrupts come in between.
            InterruptFlag.enable()
            Spin.pause()
            InterruptFlag.disable()
        }
    }

    @inline(__always)
    private static func mark(_ state: inout State, _ node: IntrusiveTimerWheel.Pointer) -> TimerEntry.Pointer
    {
        let timer = unsafe TimerEntry.timer(of: node)
        unsafe timer.pointee.isPending.store(false, ordering: .releasing)
        unsafe state.running = timer
        return unsafe timer
    }

    /// None that would wake the CPU has expired: now the others.
    @inline(never)
    private borrowing func finish(
        _ state: inout State, _ jiffy: UInt64, _ isDone: inout Bool
    ) -> TimerEntry.Pointer? {
        if let node = unsafe state.deferrable.popExpired(through: jiffy, limit: Self.portion) {
            return unsafe Self.mark(&state, node)
        }
        isDone = unsafe !state.deferrable.isUnfinished
        if isDone { unsafe Self.program(&state) }
        return nil
    }

    /// What the function does is its own.
    @_semantics("no_performance_analysis") @inline(__always)
    private static func call(_ timer: TimerEntry.Pointer, _ context: borrowing SoftInterruptContext) {
        unsafe timer.pointee.function(context, timer.pointee.word)
    }
}
