// The waiter's side of a wait queue.

import Machine
import Primitives
import Synchronization

extension WaitQueueCore {
    /// Queues the running thread, and sleeps until `attempt` succeeds or a signal of the kind that `state` hears
    /// comes. Who leaves early after a waker chose it tries once more, so that no exclusive wake-up gets lost.
    static func wait<R>(
        _ core: UnsafePointer<WaitQueueCore>, _ task: borrowing TaskContext, _ state: ThreadState,
        exclusive: Bool, _ attempt: () throws(Errno) -> R?
    ) throws(Errno) -> R {
        let thread = Thread.current
        var entry = unsafe WaitEntry(thread, isExclusive: exclusive)
        // The entry stays at its address to the end of the closure, and is out of the queue by then.
        return try unsafe withUnsafeMutablePointer(to: &entry) { (entry) throws(Errno) -> R in
            defer {
                thread.setState(.running)
                _ = unsafe remove(core, entry)
            }
            while true {
                // The state first: a waker that takes the entry out from here on finds a thread to wake.
                thread.setState(state)
                if unsafe !entry.pointee.isLinked.load(ordering: .acquiring) { unsafe insert(core, entry) }
                if let result = try attempt() { return result }
                if thread.hears(state) {
                    thread.setState(.running)
                    if unsafe remove(core, entry) { throw .restartSystem }
                    if let result = try attempt() { return result }
                    throw .restartSystem
                }
                Scheduler.schedule(task)
            }
        }
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
