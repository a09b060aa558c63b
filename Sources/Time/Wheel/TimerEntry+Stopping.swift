// How timers are moved and stopped, whichever CPU they are on.

import Machine
import Primitives
import Synchronization
import TimerWheel

extension TimerEntry {
    /// Runs `body` under the lock of the base that the timer belongs to.
    @inline(__always)
    static func withBase<R>(
        _ timer: Pointer, _ off: borrowing InterruptsOff,
        _ body: (borrowing TimerBase, inout TimerBase.State) -> R
    ) -> R {
        while true {
            let cpu = unsafe timer.pointee.cpu.load(ordering: .acquiring)
            if unsafe cpu == moving {
                Spin.pause()
                continue
            }
            let result = unsafe TimeState.current.pointee.bases.withRemote(Int(cpu)) { base in
                unsafe base.state.withLock(off) { state -> R? in
                    guard unsafe timer.pointee.cpu.load(ordering: .relaxed) == cpu else { return nil }
                    return unsafe body(base, &state)
                }
            }
            if let result { return result }
        }
    }

    static func delete(_ timer: Pointer) -> Bool {
        // Whoever starts it at the same time comes after this.
        guard unsafe timer.pointee.isPending.load(ordering: .acquiring) else { return false }
        return withInterruptsOff { off in
            unsafe withBase(timer, off) { base, state in unsafe base.take(&state, timer) }
        }
    }

    static func tryToDelete(_ timer: Pointer) -> HighResolutionTimer.Cancellation {
        withInterruptsOff { off in
            unsafe withBase(timer, off) { base, state in
                let wasPending = unsafe base.take(&state, timer)
                if unsafe state.running == timer { return wasPending ? .cancelledWhileRunning : .running }
                return wasPending ? .cancelled : .idle
            }
        }
    }

    /// Whether the caller is the timer's function, which runs on this CPU.
    static func isCaller(_ timer: Pointer) -> Bool {
        withInterruptsOff { off in
            let here = CPU.index
            return unsafe withBase(timer, off) { base, state in
                unsafe state.running == timer && base.cpu == here
            }
        }
    }

    static func moveIfPending(_ timer: Pointer, to jiffy: UInt64) -> Bool {
        withInterruptsOff { off in
            var firstOn = -1
            let wasPending = unsafe withBase(timer, off) { base, state in
                guard unsafe base.detach(&state, timer) else { return false }
                if unsafe base.insert(&state, timer, jiffy) { firstOn = unsafe base.cpu }
                return true
            }
            if firstOn >= 0 { unsafe TimerBase.announce(on: firstOn, timer.pointee.flags, off) }
            return wasPending
        }
    }

    static func expiry(_ timer: Pointer) -> UInt64 {
        withInterruptsOff { off in
            unsafe withBase(timer, off) { _, _ in unsafe timer.pointee.node.expiry }
        }
    }

    @inline(__always)
    static func node(of timer: Pointer) -> IntrusiveTimerWheel.Pointer {
        // The node is the timer's first field.
        unsafe UnsafeMutableRawPointer(timer).assumingMemoryBound(to: TimerNode.self)
    }

    @inline(__always)
    static func timer(of node: IntrusiveTimerWheel.Pointer) -> Pointer {
        // Only timers' nodes are in these wheels.
        unsafe UnsafeMutableRawPointer(node).assumingMemoryBound(to: TimerEntry.self)
    }
}
