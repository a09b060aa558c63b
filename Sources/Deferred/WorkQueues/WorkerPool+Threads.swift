// The lives of workers: how they are made, what they do without the lock, and how they go.

import Machine
@_spi(ContextEntry) import Primitives
import Synchronization
import Tasks

extension WorkerPool {
    /// Idle workers beyond these, and longer idle than that (5 minutes), go.
    static let idleKept = 2
    static let idleTime: UInt64 = 300_000_000_000
    /// How long the maker of workers waits before it tries again.
    static let hirePause: UInt64 = 100_000_000

    /// Makes a worker, idle at first. Throws `.noMemory`.
    static func hire(_ pool: Pointer) throws(Errno) {
        if unsafe DeferredHooks.failsToHire?() ?? false { throw .noMemory }
        let worker = unsafe Worker.make(pool, isRescuer: false)
        let number = unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            unsafe state.nextWorkerNumber &+= 1
            return unsafe state.nextWorkerNumber &- 1
        }
        do throws(Errno) {
            // The worker outlives its thread's function.
            let thread = try Thread.create(name: unsafe name(pool, number)) { task in
                unsafe serve(worker, task)
            }
            unsafe worker.pointee.thread = thread
        } catch {
            unsafe Worker.free(worker)
            throw error
        }
        let thread = unsafe worker.pointee.thread
        thread.setNice(unsafe pool.pointee.nice)
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            unsafe bind(worker, of: pool, state)
            unsafe state.workerCount &+= 1
            unsafe add(worker, &state)
            unsafe addIdle(worker, &state, isCalled: true)
        }
        thread.start()
    }

    /// "kworker/CPU:N", "kworker/u:N", with an H for high priority.
    private static func name(_ pool: Pointer, _ number: Int) -> ThreadName {
        var text = LogMessage("kworker/")
        if unsafe pool.pointee.isBound {
            text.append(decimal: UInt64(unsafe pool.pointee.cpu))
        } else {
            text.append("u")
        }
        text.append(":")
        text.append(decimal: UInt64(number))
        if unsafe pool.pointee.nice < 0 { text.append("H") }
        var bytes: [UInt8] = []
        for index in 0..<text.count { bytes.append(text[index]) }
        return ThreadName(bytes.span)
    }

    /// A worker's life.
    private static func serve(_ worker: Worker.Pointer, _ task: borrowing TaskContext) {
        Thread.setCurrentWorker(UInt(bitPattern: worker))
        while unsafe turn(worker, task) {}
        unsafe retire(worker)
    }

    /// Runs works until there are none; then whatever else there is to do.
    /// - Returns: false at the end of the worker.
    @inline(never)
    private static func turn(_ worker: Worker.Pointer, _ task: borrowing TaskContext) -> Bool {
        let pool = unsafe worker.pointee.pool
        while true {
            // On between works: `call` sees to that.
            InterruptFlag.disable()
            let step = unsafe pool.pointee.state.withLock(InterruptsOff()) { state in
                unsafe nextStep(worker, &state)
            }
            InterruptFlag.enable()
            guard case .run(let function, let word) = unsafe step else {
                return unsafe turnWithoutWork(step, worker, pool, task)
            }
            unsafe call(worker, function, word, task)
        }
    }

    @inline(never)
    private static func turnWithoutWork(
        _ step: Step, _ worker: Worker.Pointer, _ pool: Pointer, _ task: borrowing TaskContext
    ) -> Bool {
        if case .end = unsafe step { return false }
        if case .hire = unsafe step {
            unsafe hireAnother(pool, task)
        } else {
            Thread.parkIdle(task) { unsafe worker.pointee.isCalled.load(ordering: .sequentiallyConsistent) }
        }
        return true
    }

    /// Runs one function and looks whether it left things as they were.
    @inline(__always)
    static func call(
        _ worker: Worker.Pointer, _ function: Work.Function, _ word: UInt, _ task: borrowing TaskContext
    ) {
        function(task, word)
        if PreemptCount.isNothingWanted, InterruptFlag.isEnabled { return }
        unsafe cleanUp(worker, task)
    }

    @inline(never)
    private static func cleanUp(_ worker: Worker.Pointer, _ task: borrowing TaskContext) {
        let count = PreemptCount.value & ~PreemptCount.noReschedule
        if count != 0 || !InterruptFlag.isEnabled { unsafe reportLeak(worker, count) }
        Scheduler.reschedulePoint(task)
    }

    /// The function returned with a lock held or interrupts off: says so and mends it, so that others can go on.
    @inline(never)
    private static func reportLeak(_ worker: Worker.Pointer, _ count: UInt32) {
        let name = unsafe worker.pointee.name
        let interrupts: StaticString = InterruptFlag.isEnabled ? "on" : "off"
        _ = PreemptCount.subtractIsZero(count)
        InterruptFlag.enable()
        printk(
            .error,
            "workqueue: \(name) returned with interrupts \(interrupts) and a preemption count of \(hex: UInt64(count))"
        )
    }

    /// The worker that found nobody idle makes another one, however long that takes.
    private static func hireAnother(_ pool: Pointer, _ task: borrowing TaskContext) {
        while true {
            do throws(Errno) {
                try unsafe hire(pool)
                break
            } catch { unsafe Rescuer.call(for: pool) }
            if unsafe DeferredHooks.sleep == nil {
                Scheduler.yield(task)
            } else {
                unsafe DeferredHooks.sleep?(hirePause, task)
            }
            let isNeeded = unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
                unsafe state.idleCount == 0 && !state.works.isEmpty && state.running == 0
            }
            if !isNeeded { break }
        }
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in unsafe state.isManaged = false }
    }

    private static func retire(_ worker: Worker.Pointer) {
        Thread.setCurrentWorker(0)
        let pool = unsafe worker.pointee.pool
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            unsafe state.workerCount &-= 1
            unsafe remove(worker, &state)
        }
        unsafe Worker.free(worker)
    }

    /// Lets go of a worker that has been idle for long (`now` in cycles), if more are than needed. Any context but NMI.
    static func dismissIdle(_ pool: Pointer, now: UInt64) {
        unsafe pool.pointee.state.withLockInterruptsOff { state, _ in
            guard unsafe state.idleCount > idleKept else { return }
            // The last of the list has been idle the longest.
            var oldest = unsafe state.idle
            while let next = unsafe oldest?.pointee.nextIdle { unsafe oldest = next }
            guard let worker = unsafe oldest, unsafe now > worker.pointee.idleSince,
                unsafe CycleClock.nanoseconds(now &- worker.pointee.idleSince) >= idleTime
            else { return }
            unsafe worker.pointee.isRetired = true
            unsafe worker.pointee.isCalled.store(true, ordering: .sequentiallyConsistent)
            unsafe worker.pointee.thread.wake()
        }
    }
}
