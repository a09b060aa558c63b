// The timer wheels of one CPU, and when it has to look at them.
//
// Two wheels: timers that wake an idle CPU, and deferrable ones. The CPU's queue of high-resolution timers
// (`TimerQueue`) knows for each the next expiry, as one event among its own: its interrupt raises the TIMER soft IRQ,
// which runs `TimerBase.run` and says when to look again. The event may be too early, since a deletion leaves it, but
// never too late.

import CrossCPU
import Machine
import Primitives
import Synchronization
import Tasks
import TimerWheel

/// One CPU's. Made at boot, never freed.
@unsafe struct TimerBase: ~Copyable {
    let cpu: Int
    /// Interrupts off. Taken inside other locks; inside it only that of this CPU's `TimerQueue`.
    let state = unsafe SpinLock(State())
    /// Makes this CPU look at its wheels, for timers that others have put there.
    private let look = AsynchronousCall { _, _ in unsafe TimerBase.lookHere() }

    @unsafe struct State: ~Copyable {
        var wheel = unsafe IntrusiveTimerWheel()
        var deferrable = unsafe IntrusiveTimerWheel()
        /// The timer whose function this CPU is calling.
        var running: TimerEntry.Pointer? = nil

        init() {}
    }

    init(cpu: Int) { unsafe self.cpu = cpu }

    /// Puts a timer that is in no wheel into one of these; true if the CPU has to look earlier than before. Lock held.
    @inline(__always)
    borrowing func insert(_ state: inout State, _ timer: TimerEntry.Pointer, _ jiffy: UInt64) -> Bool {
        unsafe timer.pointee.isPending.store(true, ordering: .releasing)
        let node = unsafe TimerEntry.node(of: timer)
        if unsafe timer.pointee.flags.isSubset(of: .interruptsOff) {
            return unsafe state.wheel.add(node, at: jiffy)
        }
        return unsafe insertSpecial(&state, timer, jiffy)
    }

    @inline(never)
    private borrowing func insertSpecial(
        _ state: inout State, _ timer: TimerEntry.Pointer, _ jiffy: UInt64
    ) -> Bool {
        unsafe timer.pointee.isPlaced = true
        let node = unsafe TimerEntry.node(of: timer)
        if unsafe timer.pointee.flags.contains(.deferrable) {
            return unsafe state.deferrable.add(node, at: jiffy)
        }
        return unsafe state.wheel.add(node, at: jiffy)
    }

    /// Takes the timer out; true if it was in. Lock held.
    @inline(__always)
    borrowing func take(_ state: inout State, _ timer: TimerEntry.Pointer) -> Bool {
        guard unsafe detach(&state, timer) else { return false }
        unsafe timer.pointee.isPending.store(false, ordering: .releasing)
        return true
    }

    /// The same for a timer that is put elsewhere at once: whoever looks meanwhile finds it pending. Lock held.
    @inline(__always) @discardableResult
    borrowing func detach(_ state: inout State, _ timer: TimerEntry.Pointer) -> Bool {
        let node = unsafe TimerEntry.node(of: timer)
        guard unsafe node.pointee.isPending else { return false }
        // Which wheel it is in does not matter to the ring it leaves.
        unsafe state.wheel.remove(node)
        return true
    }

    /// Makes this CPU, whose base it is, look in time for its earliest timer. Interrupts are off, the lock is not held.
    @inline(never)
    borrowing func announce(_ flags: Timer.Flags, _ off: borrowing InterruptsOff) {
        unsafe state.withLock(off) { state in unsafe Self.program(&state) }
    }

    /// The same for any CPU.
    static func announce(on cpu: Int, _ flags: Timer.Flags, _ off: borrowing InterruptsOff) {
        unsafe TimeState.current.pointee.bases.withRemote(cpu) { base in
            if cpu == CPU.index {
                unsafe base.announce(flags, off)
            } else {
                // `.busy`: it is about to look. `.offline`: its timers are moved by whoever takes it down.
                _ = unsafe base.look.post(to: cpu)
            }
        }
    }

    private static func lookHere() {
        withInterruptsOff { off in
            unsafe TimeState.current.pointee.bases.withRemote(CPU.index) { base in
                unsafe base.state.withLock(off) { state in unsafe program(&state) }
            }
        }
    }

    /// Tells this CPU's queue when to raise the TIMER soft IRQ. This CPU's lock held.
    static func program(_ state: inout State) {
        let next = unsafe state.wheel.updateNextExpiry().map { Jiffies.start(of: $0) } ?? .max
        let deferrable = unsafe state.deferrable.updateNextExpiry().map { Jiffies.start(of: $0) } ?? .max
        unsafe TimerQueue.setWheelEvents(next, deferrable: deferrable)
    }
}
