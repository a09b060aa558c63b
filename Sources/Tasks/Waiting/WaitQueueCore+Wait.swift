// The waiter's side of a wait queue.

import Machine
import Primitives
import Synchronization

extension WaitQueueCore {
    /// Queues the running thread, and sleeps until `attempt` succeeds or a signal of the kind that `state` hears
    /// comes.
    ///
    /// An exclusive wake-up must not get lost. A waker takes the entry out of the queue, so whoever finds it out knows that
    /// a wake-up came, and has to attempt once more after that: to sleep again, to give up, or, if an attempt
    /// that began before has succeeded, to pass the wake-up on.
    static func wait<R>(
        _ core: UnsafePointer<WaitQueueCore>, _ task: borrowing TaskContext, _ state: ThreadState,
        exclusive: Bool, _ attempt: () throws(Errno) -> R?
    ) throws(Errno) -> R {
        #if APUS_DEBUG_LOCKS
            Lockdep.mightSleep()
        #endif
        let thread = Thread.current
        var entry = unsafe WaitEntry(thread, isExclusive: exclusive)
        // The entry stays at its address to the end of the closure, and is out of the queue by then.
        return try unsafe withUnsafeMutablePointer(to: &entry) { (entry) throws(Errno) -> R in
            while true {
                // The state first: a waker that takes the entry out from here on finds a thread to wake.
                thread.setState(state)
                if unsafe !entry.pointee.isLinked.load(ordering: .acquiring) { unsafe insert(core, entry) }
                let result: R?
                do throws(Errno) {
                    result = try attempt()
                } catch {
                    unsafe leave(core, entry, thread)
                    throw error
                }
                if let result {
                    unsafe leave(core, entry, thread)
                    return result
                }
                if thread.hears(state) { return try unsafe giveUp(core, entry, thread, attempt) }
                Scheduler.schedule(task)
                if unsafe !entry.pointee.isLinked.load(ordering: .acquiring), let result = try attempt() {
                    return result
                }
            }
        }
    }

    /// Leaves the queue after an attempt that began inside it.
    @inline(__always)
    private static func leave(
        _ core: UnsafePointer<WaitQueueCore>, _ entry: WaitEntry.Pointer, _ thread: Thread
    ) {
        thread.setState(.running)
        let isExclusive = unsafe entry.pointee.isExclusive
        if unsafe !remove(core, entry), isExclusive { unsafe core.pointee.wake(limit: 1, key: 0) }
    }

    /// Leaves the queue because of a signal, unless a wake-up that came first lets an attempt succeed.
    @inline(never)
    private static func giveUp<R>(
        _ core: UnsafePointer<WaitQueueCore>, _ entry: WaitEntry.Pointer, _ thread: Thread,
        _ attempt: () throws(Errno) -> R?
    ) throws(Errno) -> R {
        thread.setState(.running)
        if unsafe !remove(core, entry), let result = try attempt() { return result }
        throw .restartSystem
    }
}

extension Thread {
    /// Says what the running thread is about to do. Sequentially consistent: what it checks afterwards is as new as
    /// what a waker wrote before it looked at the state.
    @inline(__always)
    func setState(_ state: ThreadState) {
        unsafe storage.pointee.state.store(state.rawValue, ordering: .sequentiallyConsistent)
    }

    /// Whether a pending signal ends the sleep that `state` describes.
    @inline(__always)
    func hears(_ state: ThreadState) -> Bool {
        if state == .interruptible { return flags.contains(.signalPending) }
        if state == .killable { return flags.contains(.fatalSignalPending) }
        return false
    }
}
