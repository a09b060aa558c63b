// Spin locks that own what they protect. Three flavours of taking one, as in Linux:
//
//   withLock                 preemption off; for data no interrupt handler touches
//   withLockBottomHalvesOff  and no soft IRQ; for data shared with bottom halves
//   withLockInterruptsOff    and no interrupt; for data shared with top halves
//
// A ticket lock: CPUs get it in the order they asked. Except on a hypervisor, which may take the CPU away
// from the one whose turn it is, and from the next, while others could go on: there it is whoever finds the
// lock free. The holder's CPU number is kept for reports.

import Machine
import Synchronization

@safe public struct SpinLock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    /// The ticket now served, written by the holder only; and the next ticket to be drawn.
    private let serving = Atomic<UInt16>(0)
    private let next = Atomic<UInt16>(0)
    /// CPU that holds the lock plus one, 0 when free; written by the holder only.
    private let holder = Atomic<UInt32>(0)
    /// Touched only between `acquire` and `release`.
    private let cell: Cell<Value>

    #if APUS_DEBUG_LOCKS
        private let identity: LockIdentity

        /// The place of the call is the lock's class (Lockdep).
        public init(_ value: consuming Value, file: StaticString = #fileID, line: UInt32 = #line) {
            unsafe cell = Cell(value)
            identity = LockIdentity(file, line)
        }

        private var address: UInt { unsafe UInt(bitPattern: cell.address) }
    #else
        public init(_ value: consuming Value) { unsafe cell = Cell(value) }
    #endif

    /// CPU that holds the lock, for reports.
    public var holderCPU: Int? {
        let cpu = holder.load(ordering: .relaxed)
        return cpu == 0 ? nil : Int(cpu) - 1
    }

    @inline(__always)
    private func acquire(isOrdered: Bool = false) {
        #if APUS_DEBUG_LOCKS
            Lockdep.willTake(identity, at: address, isOrdered: isOrdered)
        #endif
        Spin.interleave()
        if !takeIfFree() { wait() }
        holder.store(UInt32(truncatingIfNeeded: CPU.index) &+ 1, ordering: .relaxed)
    }

    /// Free is a lock whose drawn tickets have all been served.
    @inline(__always)
    private func takeIfFree() -> Bool {
        // The next ticket is never behind the one served: if it still is that one, nobody holds the lock.
        let seen = serving.load(ordering: .acquiring)
        return next.compareExchange(expected: seen, desired: seen &+ 1, ordering: .acquiring).exchanged
    }

    @inline(__always)
    private func acquireIfFree() -> Bool {
        guard takeIfFree() else { return false }
        holder.store(UInt32(truncatingIfNeeded: CPU.index) &+ 1, ordering: .relaxed)
        #if APUS_DEBUG_LOCKS
            Lockdep.tookFree(identity, at: address)
        #endif
        return true
    }

    @_semantics("no_performance_analysis") @inline(never)
    private func wait() {
        if SpinWaiting.isFair {
            let ticket = next.wrappingAdd(1, ordering: .acquiring).oldValue
            while serving.load(ordering: .acquiring) != ticket { Spin.pause() }
        } else {
            repeat { Spin.pause() } while !takeIfFree()
        }
    }

    @inline(__always)
    private func release() {
        #if APUS_DEBUG_LOCKS
            Lockdep.willRelease(at: address)
        #endif
        holder.store(0, ordering: .relaxed)
        // Only the holder writes it.
        serving.store(serving.load(ordering: .relaxed) &+ 1, ordering: .releasing)
        Spin.interleave()
    }

    /// Runs `body` with the lock held and preemption off. Not for data that interrupts touch.
    @inline(__always)
    public func withLock<R: ~Copyable, E>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        PreemptCount.add(PreemptCount.preemption)
        acquire()
        defer {
            release()
            preemptionEnable()
        }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee)
    }

    /// The same for a second lock made at the same place as one that is held, where something other than the locks' addresses
    /// says which comes first: the debug build does not look at the order of the two.
    @inline(__always)
    public func withLockNested<R: ~Copyable, E>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        PreemptCount.add(PreemptCount.preemption)
        acquire(isOrdered: true)
        defer {
            release()
            preemptionEnable()
        }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee)
    }

    /// Runs `body` with the lock held in a hard interrupt, where interrupts are off already.
    @inline(__always)
    public func withLock<R: ~Copyable, E>(
        in context: borrowing HardInterruptContext, _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        acquire()
        defer { release() }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee)
    }

    /// Runs `body` with the lock held where interrupts are off already, as within another lock.
    @inline(__always)
    public func withLock<R: ~Copyable, E>(
        _ off: borrowing InterruptsOff, _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        acquire()
        defer { release() }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee)
    }

    /// Runs `body` with the lock held and interrupts off on this CPU. Any context but NMI.
    @inline(__always)
    public func withLockInterruptsOff<R: ~Copyable, E>(
        _ body: (inout Value, borrowing InterruptsOff) throws(E) -> R
    ) throws(E) -> R {
        let wereEnabled = InterruptFlag.isEnabled
        InterruptFlag.disable()
        acquire()
        defer {
            release()
            if wereEnabled { InterruptFlag.enable() }
        }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee, InterruptsOff())
    }

    /// Runs `body` with the lock held and bottom halves off on this CPU. Task or soft-IRQ context.
    @inline(__always)
    public func withLockBottomHalvesOff<R: ~Copyable, E>(
        _ body: (inout Value, borrowing BottomHalvesOff) throws(E) -> R
    ) throws(E) -> R {
        PreemptCount.add(PreemptCount.bottomHalf)
        acquire()
        defer {
            release()
            bottomHalvesEnable()
        }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee, BottomHalvesOff())
    }

    /// Takes the lock only if it is free, with preemption off; nil if it was not.
    @inline(__always)
    public func tryWithLock<R, E>(_ body: (inout Value) throws(E) -> R) throws(E) -> R? {
        PreemptCount.add(PreemptCount.preemption)
        defer { preemptionEnable() }
        guard acquireIfFree() else { return nil }
        defer { release() }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee)
    }

    /// Takes the lock only if it is free, with interrupts off; nil if it was not. Any context.
    @inline(__always)
    public func tryWithLockInterruptsOff<R, E>(_ body: (inout Value) throws(E) -> R) throws(E) -> R? {
        let wereEnabled = InterruptFlag.isEnabled
        InterruptFlag.disable()
        defer { if wereEnabled { InterruptFlag.enable() } }
        guard acquireIfFree() else { return nil }
        defer { release() }
        // The lock is held, so this is the only access.
        return try unsafe body(&cell.address.pointee)
    }
}

/// How CPUs wait for spin locks.
public enum SpinWaiting {
    // Set once, before other CPUs run; each lock works with waiters of both kinds.
    nonisolated(unsafe) private static var fair = true

    @inline(__always) static var isFair: Bool { unsafe fair }

    /// The CPUs are a hypervisor's. Boot only.
    public static func giveUpFairness() { unsafe fair = false }
}
