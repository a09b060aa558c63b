// What a worker does next. The bookkeeping between two functions of works, under one taking of the pool's lock.

import Machine
import Primitives
import Synchronization
import Tasks

extension WorkerPool {
    /// What a worker is to do without the lock.
    @unsafe enum Step {
        /// Run this function with this word.
        case run(Work.Function, UInt)
        /// Make another worker, so that one is idle.
        case hire
        case sleep
        case end
    }

    /// The next step of a worker that has come back from a function, or been woken. Lock held.
    @inline(__always)
    static func nextStep(_ worker: Worker.Pointer, _ state: inout State) -> Step {
        if unsafe worker.pointee.work != nil {
            unsafe finish(worker, &state)
        } else if unsafe worker.pointee.isIdle {
            unsafe leaveIdle(worker, &state)
            if unsafe worker.pointee.isRetired { return unsafe .end }
        }
        // The common case: nobody else of the pool has the CPU, and a work that nobody waits for or runs.
        let isCounted = unsafe worker.pointee.isCounted
        if unsafe state.running == (isCounted ? 1 : 0), unsafe isCounted || state.idleCount > 0,
            unsafe worker.pointee.scheduled.isEmpty, let work = unsafe state.works.first,
            unsafe !work.pointee.hasFollower,
            unsafe Self.worker(running: work, in: worker.pointee.pool) == nil
        {
            unsafe count(worker, &state)
            let now = CycleClock.cycles
            unsafe state.progressAt = now
            return unsafe begin(worker, work, now, &state)
        }
        return unsafe chooseStep(worker, &state)
    }

    @inline(never)
    private static func chooseStep(_ worker: Worker.Pointer, _ state: inout State) -> Step {
        while true {
            if let work = unsafe worker.pointee.scheduled.first {
                return unsafe begin(worker, work, CycleClock.cycles, &state)
            }
            let others = unsafe state.running &- (worker.pointee.isCounted ? 1 : 0)
            guard others == 0, let work = unsafe state.works.first else {
                unsafe becomeIdle(worker, &state)
                return unsafe .sleep
            }
            if unsafe !worker.pointee.isCounted, unsafe state.idleCount == 0, unsafe !state.isManaged {
                unsafe state.isManaged = true
                return unsafe .hire
            }
            unsafe count(worker, &state)
            unsafe take(work, worker, &state)
        }
    }

    /// The same for a rescuer, which runs only what it was given.
    static func nextRescue(_ worker: Worker.Pointer, _ state: inout State) -> Step {
        if unsafe worker.pointee.work != nil { unsafe finish(worker, &state) }
        if let work = unsafe worker.pointee.scheduled.first {
            return unsafe begin(worker, work, CycleClock.cycles, &state)
        }
        // Who else waits here is the pool's own affair again.
        unsafe wakeIfNeeded(&state)
        return unsafe .sleep
    }

    /// Gives the first work of the pool's list to this worker; or to the one that runs it already.
    private static func take(_ work: WorkCore.Pointer, _ worker: Worker.Pointer, _ state: inout State) {
        unsafe state.progressAt = CycleClock.cycles
        if let other = unsafe Self.worker(running: work, in: worker.pointee.pool) {
            unsafe move(work, from: state.works, to: other.pointee.scheduled)
        } else {
            unsafe move(work, from: state.works, to: worker.pointee.scheduled)
        }
    }

    /// Takes a work out of the lists; from here on it may be queued again.
    @inline(__always)
    private static func begin(
        _ worker: Worker.Pointer, _ work: WorkCore.Pointer, _ now: UInt64, _ state: inout State
    ) -> Step {
        unsafe WorkList.remove(work)
        let link = unsafe work.pointee.link
        unsafe worker.pointee.work = work
        unsafe worker.pointee.name = work.pointee.name
        unsafe worker.pointee.link = link
        unsafe worker.pointee.color = work.pointee.color
        unsafe work.pointee.worker = worker
        if let link = unsafe link {
            Latency.workDelay.note(now &- (unsafe work.pointee.queuedAt))
            if unsafe link.pointee.isCPUIntensive { unsafe discount(worker, &state) }
        }
        unsafe wakeIfNeeded(&state)
        unsafe work.pointee.link = nil
        unsafe work.pointee.hasFollower = false
        let step = unsafe Step.run(work.pointee.function, work.pointee.word)
        // The last access: whoever claims the work now, or its own function, may do with it what it likes.
        _ = unsafe work.pointee.state.bitwiseAnd(~WorkCore.pending, ordering: .acquiringAndReleasing)
        return unsafe step
    }

    /// The function has returned. The work itself may be gone.
    @inline(__always)
    private static func finish(_ worker: Worker.Pointer, _ state: inout State) {
        unsafe worker.pointee.work = nil
        guard let link = unsafe worker.pointee.link else { return }
        unsafe worker.pointee.link = nil
        unsafe link.pointee.done &+= 1
        if unsafe !worker.pointee.isCounted { unsafe finishUncounted(worker, link, &state) }
        unsafe PoolWorkQueue.countOut(link, color: worker.pointee.color, &state)
    }

    /// The same of a worker that was not counted meanwhile.
    @inline(never)
    private static func finishUncounted(
        _ worker: Worker.Pointer, _ link: PoolWorkQueue.Pointer, _ state: inout State
    ) {
        if unsafe worker.pointee.isRescuer { unsafe link.pointee.rescued &+= 1 }
        if unsafe link.pointee.isCPUIntensive { unsafe count(worker, &state) }
    }

    // MARK: Counting

    /// Counts a bound pool's worker as having the CPU.
    @inline(__always)
    private static func count(_ worker: Worker.Pointer, _ state: inout State) {
        guard unsafe !worker.pointee.isCounted, unsafe worker.pointee.pool.pointee.isBound,
            unsafe !worker.pointee.isRescuer, unsafe !state.isDetached
        else { return }
        unsafe worker.pointee.isCounted = true
        unsafe state.running &+= 1
    }

    @inline(__always)
    private static func discount(_ worker: Worker.Pointer, _ state: inout State) {
        guard unsafe worker.pointee.isCounted else { return }
        unsafe worker.pointee.isCounted = false
        unsafe state.running &-= 1
    }

    private static func becomeIdle(_ worker: Worker.Pointer, _ state: inout State) {
        unsafe discount(worker, &state)
        unsafe addIdle(worker, &state, isCalled: false)
    }

    /// Puts a worker before the other idle ones; one that is called looks for work once more.
    static func addIdle(_ worker: Worker.Pointer, _ state: inout State, isCalled: Bool) {
        unsafe worker.pointee.isCalled.store(isCalled, ordering: .relaxed)
        unsafe worker.pointee.isIdle = true
        unsafe worker.pointee.idleSince = CycleClock.cycles
        unsafe worker.pointee.nextIdle = state.idle
        unsafe state.idle = worker
        unsafe state.idleCount &+= 1
    }

    static func leaveIdle(_ worker: Worker.Pointer, _ state: inout State) {
        unsafe worker.pointee.isIdle = false
        unsafe state.idleCount &-= 1
        if unsafe state.idle == worker {
            unsafe state.idle = worker.pointee.nextIdle
            return
        }
        var previous = unsafe state.idle
        while let here = unsafe previous {
            if unsafe here.pointee.nextIdle == worker {
                unsafe here.pointee.nextIdle = worker.pointee.nextIdle
                return
            }
            unsafe previous = here.pointee.nextIdle
        }
    }
}
