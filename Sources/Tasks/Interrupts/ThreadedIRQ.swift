// Handlers with a thread: the top half silences the device, or the line stays masked (`oneShot`), and the thread does
// the work, with interrupts on and free to sleep.
//
// The top half answers `wakeThread`. A thread that has been woken and has not begun its work yet does both in one go,
// so nothing is lost and nothing runs twice at once. Threads run in front of others (nice -20), as work that
// something waits for.

import Interrupts
import Machine
import Memory
import Primitives
import Synchronization

/// A registered handler with its thread. Trivial to copy; its storage lives until `free`.
@safe public struct ThreadedIRQ: Sendable {
    /// The thread's part. Mark the function `@Sendable` so that it needs no context; the word is the handler's.
    public typealias Function = @convention(thin) @Sendable (borrowing TaskContext, UInt) -> Void

    /// The thread's state, which the top half reaches by its address.
    struct State: ~Copyable {
        /// Woken and not begun yet.
        let isWanted = Atomic<Bool>(false)
        let isWorking = Atomic<Bool>(false)
        let isEnding = Atomic<Bool>(false)
        let line: Int
        let word: UInt
        let function: Function
        /// Set before the line is requested.
        var thread: Thread?
    }

    nonisolated(unsafe) private let state: UnsafeMutablePointer<State>
    private let registration: IRQ.Registration

    /// Puts `handler`, which answers `wakeThread`, on the line, and makes its thread. Task context. The errors of
    /// `IRQ.request`, and `.noMemory`.
    public static func request(
        line: Int, flags: IRQFlags = [], handler: IRQHandler, _ task: borrowing TaskContext,
        thread function: Function
    ) throws(IRQError) -> ThreadedIRQ {
        unsafe IRQThreadHook.wake = { ThreadedIRQ.wake($0) }
        let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
        unsafe state.initialize(
            to: State(line: line, word: handler.word, function: function, thread: nil))
        guard let thread = unsafe makeThread(state) else {
            unsafe state.deinitialize(count: 1).deallocate()
            throw .noMemory
        }
        unsafe state.pointee.thread = thread
        thread.start()
        var handler = handler
        handler.thread = UInt(bitPattern: state)
        do throws(IRQError) {
            let registration = try IRQ.request(line: line, flags: flags, handler: handler)
            return unsafe ThreadedIRQ(state: state, registration: registration)
        } catch {
            unsafe end(state, task)
            throw error
        }
    }

    private init(state: UnsafeMutablePointer<State>, registration: IRQ.Registration) {
        unsafe self.state = state
        self.registration = registration
    }

    private static func makeThread(_ state: UnsafeMutablePointer<State>) -> Thread? {
        let place = UInt(bitPattern: state)
        let name = unsafe ThreadName("irq", number: state.pointee.line)
        let thread = try? Thread.create(name: name) { (task: borrowing TaskContext) in
            // The state lives until the thread has ended.
            unsafe serve(UnsafeMutablePointer(bitPattern: place).unsafelyUnwrapped, task)
        }
        // As on Linux: before programs, behind those of real-time programs that ask for more.
        thread?.setScheduling(.fifo, priority: 50)
        return thread
    }

    /// The hook: wakes the thread whose state is at `place`.
    @_noAllocation
    private static func wake(_ place: UInt) -> Bool {
        // Registered handlers' states are alive.
        let state = unsafe UnsafeMutablePointer<State>(bitPattern: place).unsafelyUnwrapped
        if unsafe state.pointee.isWanted.exchange(true, ordering: .acquiringAndReleasing) { return false }
        unsafe state.pointee.thread?.wake()
        return true
    }

    /// The thread's life.
    private static func serve(_ state: UnsafeMutablePointer<State>, _ task: borrowing TaskContext) {
        while unsafe turn(state, task) {}
    }

    @inline(never)
    private static func turn(_ state: UnsafeMutablePointer<State>, _ task: borrowing TaskContext) -> Bool {
        Thread.parkIdle(task) {
            unsafe state.pointee.isWanted.load(ordering: .sequentiallyConsistent)
                || state.pointee.isEnding.load(ordering: .sequentiallyConsistent)
        }
        unsafe state.pointee.isWorking.store(true, ordering: .sequentiallyConsistent)
        if unsafe state.pointee.isWanted.exchange(false, ordering: .acquiringAndReleasing) {
            unsafe state.pointee.function(task, state.pointee.word)
            IRQ.threadEnded(line: unsafe state.pointee.line)
        }
        unsafe state.pointee.isWorking.store(false, ordering: .releasing)
        return unsafe !state.pointee.isEnding.load(ordering: .acquiring)
    }

    /// Waits until neither the top half nor the thread has work of the line. Task context, not from the thread itself.
    public func synchronize(_ task: borrowing TaskContext) throws(IRQError) {
        try IRQ.synchronize(line: registration.line)
        while unsafe state.pointee.isWanted.load(ordering: .acquiring)
            || state.pointee.isWorking.load(ordering: .acquiring)
        {
            Scheduler.yield(task)
        }
    }

    /// Takes the handler off its line and ends its thread, which first does what it was woken for. Task context.
    public func free(_ task: borrowing TaskContext) throws(IRQError) {
        try IRQ.free(registration)
        unsafe Self.end(state, task)
    }

    /// Ends the thread, waits until it is gone, and gives the state back: nothing reaches it any more.
    private static func end(_ state: UnsafeMutablePointer<State>, _ task: borrowing TaskContext) {
        unsafe state.pointee.isEnding.store(true, ordering: .sequentiallyConsistent)
        if let thread = unsafe state.pointee.thread {
            thread.wake()
            while thread.exists { Scheduler.yield(task) }
        }
        unsafe state.deinitialize(count: 1).deallocate()
    }
}
