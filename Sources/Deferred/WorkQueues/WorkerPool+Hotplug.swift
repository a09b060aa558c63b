// Pools whose CPU goes and comes back (`CPUHotplug`, state `deferredWork`).
//
// When the CPU has gone, its pools' workers may run anywhere: one that sleeps in its function goes on elsewhere when it is
// woken, and works that wait, or are queued for that CPU from now on, are done elsewhere. None of them is counted any more, so
// the pool wakes a worker whenever there is work. When the CPU is back all are bound to it again; a worker is counted
// from its next work on.

import CrossCPU
import Machine
import Primitives
import Tasks

extension WorkerPool {
    /// The threads' affinity follows from the pool's state. Lock held.
    static func bind(_ worker: Worker.Pointer, of pool: Pointer, _ state: borrowing State) {
        let thread = unsafe worker.pointee.thread
        guard unsafe pool.pointee.isBound else { return thread.bind(to: .all) }
        let own = CPUMask(unsafe pool.pointee.cpu)
        // Not the CPU that is off: a worker that waits in its queue has to leave.
        thread.bind(to: unsafe state.isDetached ? CPUMask.all.subtracting(own) : own)
    }

    /// The pool's CPU has gone, or is back. Task context, on another CPU.
    static func setDetached(_ pool: Pointer, _ isDetached: Bool) {
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            unsafe state.isDetached = isDetached
            var each = unsafe state.workers
            while let worker = unsafe each {
                unsafe each = worker.pointee.next
                // A rescuer goes where the pool is by itself.
                if unsafe worker.pointee.isRescuer { continue }
                unsafe worker.pointee.isCounted = false
                unsafe bind(worker, of: pool, state)
            }
            unsafe state.running = 0
            unsafe wakeIfNeeded(&state)
        }
    }

    /// Lets the pools of CPUs follow them. Boot only, after the pools are made.
    static func followHotplug() {
        CPUHotplug.register(
            .deferredWork, up: { @Sendable cpu, _ in unsafe WorkerPool.setDetached(cpu: cpu, false) },
            down: { @Sendable cpu, _ in unsafe WorkerPool.setDetached(cpu: cpu, true) })
    }

    static func setDetached(cpu: Int, _ isDetached: Bool) {
        let pools = unsafe DeferredState.current.pointee.pools
        for isHigh in [false, true] { unsafe setDetached(pools.bound(cpu, isHigh), isDetached) }
    }
}
