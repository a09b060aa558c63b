// The timers of one CPU, in order of expiry, and the event that its device is set to.

import Machine
import Primitives
import Synchronization
import Tasks

/// One CPU's timers. Made at boot, never freed.
@unsafe struct TimerQueue: ~Copyable {
    let cpu: Int
    /// Interrupts off. Taken inside a wait queue's or a file's lock; takes none itself.
    let heads = unsafe SpinLock(Heads())

    @unsafe struct Heads: ~Copyable {
        /// Timers of each clock.
        var monotonic = unsafe OrderedQueue()
        var realtime = unsafe OrderedQueue()
        /// The timer whose function this CPU is calling.
        var running: TimerCore.Pointer? = nil
        /// What the device is set to, nanoseconds since boot; `.max` if to nothing.
        var event: UInt64 = .max
        /// When the running thread's slice ends.
        var sliceEnd: UInt64 = .max
        /// When the TIMER soft IRQ has to run: for timers of the wheel, and for deferrable ones unless the CPU is idle.
        var wheelEvent: UInt64 = .max
        var deferrableEvent: UInt64 = .max
        /// In the timer interrupt, which sets the device at its end.
        var isExpiring = false

        init() {}
    }

    /// Whether there are deferrable timers here, for whom it matters whether the CPU is idle.
    let hasDeferrable = Atomic<Bool>(false)

    init(cpu: Int) { unsafe self.cpu = cpu }

    /// Puts the timer in; this CPU's device is set if that is needed at once. Lock held.
    borrowing func insert(_ heads: inout Heads, _ timer: TimerCore.Pointer, at time: UInt64) {
        unsafe timer.pointee.expiry.store(time, ordering: .relaxed)
        unsafe timer.pointee.node.key = time
        unsafe timer.pointee.isPending.store(true, ordering: .releasing)
        let node = unsafe TimerQueue.node(of: timer)
        let clock = unsafe timer.pointee.clock
        let isFirst = unsafe clock == .monotonic ? heads.monotonic.insert(node) : heads.realtime.insert(node)
        if isFirst { unsafe setEvent(&heads, notAfter: TimerQueue.monotonicTime(time, clock)) }
    }

    /// Takes the timer out; true if it was in. Lock held.
    @discardableResult
    borrowing func take(_ heads: inout Heads, _ timer: TimerCore.Pointer) -> Bool {
        guard unsafe timer.pointee.node.isLinked else { return false }
        let node = unsafe TimerQueue.node(of: timer)
        if unsafe timer.pointee.clock == .monotonic {
            unsafe heads.monotonic.remove(node)
        } else {
            unsafe heads.realtime.remove(node)
        }
        unsafe timer.pointee.isPending.store(false, ordering: .releasing)
        return true
    }

    /// Makes the device interrupt at `time` at the latest. Lock held. Of another CPU only while that one is in its
    /// timer interrupt, which looks again.
    borrowing func setEvent(_ heads: inout Heads, notAfter time: UInt64) {
        guard unsafe time < heads.event, unsafe !heads.isExpiring else { return }
        unsafe heads.event = time
        ClockEvents.set(time)
    }

    /// A time of `clock` as nanoseconds since boot.
    @inline(__always)
    static func monotonicTime(_ time: UInt64, _ clock: ClockBase) -> UInt64 {
        if clock == .monotonic { return time }
        let offset = unsafe TimeState.current.pointee.realtimeOffset.load(ordering: .relaxed)
        // Realtime before boot has passed; the offset is itself a realtime, small against 2^63.
        return time > offset ? time &- offset : 0
    }

    @inline(__always)
    static func node(of timer: TimerCore.Pointer) -> OrderedNode.Pointer {
        // The node is the timer's first field.
        unsafe UnsafeMutableRawPointer(timer).assumingMemoryBound(to: OrderedNode.self)
    }

    @inline(__always)
    static func timer(of node: OrderedNode.Pointer) -> TimerCore.Pointer {
        // Only timers' nodes are in these queues.
        unsafe UnsafeMutableRawPointer(node).assumingMemoryBound(to: TimerCore.self)
    }
}
