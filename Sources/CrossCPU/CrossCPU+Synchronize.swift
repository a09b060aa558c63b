// Holding all other CPUs: none of them runs anything but a loop, with preemption and interrupts off, until
// they are released.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

/// Who is held. One CPU at a time holds the others.
struct SynchronizationState: ~Copyable, Sendable {
    /// One permit: the right to hold the others.
    let turn = Semaphore(1)
    let entered = Atomic<Int>(0)
    let left = Atomic<Int>(0)
    let released = Atomic<Bool>(false)
    /// How many CPUs are held. Written by the holder.
    let held = Atomic<Int>(0)
}

extension CrossCPU {
    /// Holds every other CPU until `unsynchronizeAll`, which the same thread calls; preemption is off in between.
    /// Whoever comes meanwhile waits for his turn. Held CPUs still forget translations when asked to, and take NMIs.
    public static func synchronizeAll(_ task: borrowing TaskContext) throws(CallError) {
        let state = unsafe CrossCPUState.current
        unsafe state.pointee.synchronization.waitForTurn(task)
        PreemptCount.add(PreemptCount.preemption)
        do throws(CallError) {
            let count = try callFunctionMany(CPUs.online, wait: false, PreemptionOff()) { context, _ in
                CrossCPU.beHeld(context)
            }
            unsafe state.pointee.synchronization.held.store(count, ordering: .relaxed)
            unsafe wait(for: count, state) { $0.entered.load(ordering: .acquiring) }
        } catch {
            endPreemptionOff()
            unsafe state.pointee.synchronization.turn.signal()
            throw error
        }
    }

    /// Lets all held CPUs go, and returns when none of them is held any more.
    public static func unsynchronizeAll() {
        let state = unsafe CrossCPUState.current
        unsafe state.pointee.synchronization.released.store(true, ordering: .releasing)
        let count = unsafe state.pointee.synchronization.held.load(ordering: .relaxed)
        unsafe wait(for: count, state) { $0.left.load(ordering: .acquiring) }
        endPreemptionOff()
        unsafe state.pointee.synchronization.turn.signal()
    }

    /// Runs `body` while every other CPU is held.
    public static func withAllSynchronized<R>(
        _ task: borrowing TaskContext, _ body: (borrowing PreemptionOff) -> R
    ) throws(CallError) -> R {
        try synchronizeAll(task)
        defer { unsynchronizeAll() }
        return body(PreemptionOff())
    }

    private static func endPreemptionOff() {
        // The balance of the count that `synchronizeAll` added, with its look whether a reschedule is due.
        if PreemptCount.subtractIsZero(PreemptCount.preemption) { withPreemptionOff { _ in } }
    }

    private static func wait(
        for count: Int, _ state: CrossCPUState.Pointer, _ reached: (borrowing SynchronizationState) -> Int
    ) {
        while unsafe reached(state.pointee.synchronization) < count { Spin.pause() }
    }

    /// What a held CPU does. It serves the holder's shootdowns, since it takes no interrupt.
    private static func beHeld(_ context: borrowing HardInterruptContext) {
        let state = unsafe CrossCPUState.current
        unsafe state.pointee.synchronization.entered.wrappingAdd(1, ordering: .acquiringAndReleasing)
        while unsafe !state.pointee.synchronization.released.load(ordering: .acquiring) {
            unsafe state.pointee.translations.flush(context)
            Spin.pause()
        }
        unsafe state.pointee.synchronization.left.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }
}

extension SynchronizationState {
    /// Sleeps until nobody else holds the CPUs, and begins anew.
    func waitForTurn(_ task: borrowing TaskContext) {
        do throws(Errno) { try turn.wait(task, interruptible: false) } catch {
            fatalError("an uninterruptible wait was interrupted")
        }
        entered.store(0, ordering: .relaxed)
        left.store(0, ordering: .relaxed)
        released.store(false, ordering: .relaxed)
    }
}
