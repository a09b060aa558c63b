// Each CPU's tasklets, in two queues, and the two soft IRQs that run them.
//
// Scheduling sets the tasklet's `scheduled` bit; whoever set it puts the tasklet into a queue of its own CPU, so a tasklet
// is in one queue at most. The soft IRQ takes the whole queue. For each tasklet it sets `running`; if that was set, the
// handler runs on another CPU just now (it was scheduled again there), and the tasklet goes back into the queue for the
// next round. A disabled one goes back too, but nothing is raised for it: `enable` does that, on the CPU that has it.

import Machine
import Primitives
import Synchronization
import Tasks

/// The tasklets of one CPU for one soft IRQ: oldest first. Touched by that CPU only, interrupts off.
@unsafe struct TaskletList {
    var first: TaskletCore.Pointer? = nil
    var last: TaskletCore.Pointer? = nil

    @inline(__always)
    mutating func append(_ tasklet: TaskletCore.Pointer) {
        unsafe tasklet.pointee.next = nil
        if let last = unsafe last { unsafe last.pointee.next = tasklet } else { unsafe first = tasklet }
        unsafe last = tasklet
    }

    /// Empties the list; returns its first.
    @inline(__always)
    mutating func takeAll() -> TaskletCore.Pointer? {
        let all = unsafe first
        unsafe first = nil
        unsafe last = nil
        return unsafe all
    }
}

enum TaskletQueue {
    /// Which queue, and which soft IRQ runs it.
    enum Priority: Int {
        case high = 0
        case normal = 1

        @inline(__always)
        var vector: SoftInterrupt { self == .high ? .high : .tasklet }
    }

    /// Takes the vectors. Boot only.
    static func boot() {
        SoftInterrupts.register(.high) { @Sendable context in TaskletQueue.run(.high, context) }
        SoftInterrupts.register(.tasklet) { @Sendable context in TaskletQueue.run(.normal, context) }
    }

    @inline(__always)
    static func schedule(_ tasklet: TaskletCore.Pointer, _ priority: Priority) -> Bool {
        guard unsafe tasklet.pointee.claim() else { return false }
        withInterruptsOff { off in
            unsafe tasklet.pointee.cpu.store(Int32(truncatingIfNeeded: CPU.index), ordering: .relaxed)
            unsafe queue(tasklet, priority, off)
            SoftInterrupts.raise(priority.vector, off)
        }
        return true
    }

    @inline(__always)
    private static func queue(
        _ tasklet: TaskletCore.Pointer, _ priority: Priority, _ off: borrowing InterruptsOff
    ) {
        // Interrupts are off, so nobody else touches this CPU's queues.
        let local = unsafe DeferredLocal.current
        if priority == .high {
            unsafe local.pointee.highTasklets.append(tasklet)
        } else {
            unsafe local.pointee.tasklets.append(tasklet)
        }
    }

    /// The soft IRQ: one go at each tasklet that was in the queue.
    @inline(__always)
    private static func run(_ priority: Priority, _ context: borrowing SoftInterruptContext) {
        var next = unsafe takeAll(priority)
        while let tasklet = unsafe next {
            unsafe next = tasklet.pointee.next
            unsafe turn(tasklet, priority, context)
        }
    }

    @inline(__always)
    private static func takeAll(_ priority: Priority) -> TaskletCore.Pointer? {
        unsafe withInterruptsOff { _ in
            // Interrupts are off, so nobody else touches this CPU's queues.
            let local = unsafe DeferredLocal.current
            if priority == .high { return unsafe local.pointee.highTasklets.takeAll() }
            return unsafe local.pointee.tasklets.takeAll()
        }
    }

    @inline(__always)
    private static func turn(
        _ tasklet: TaskletCore.Pointer, _ priority: Priority, _ context: borrowing SoftInterruptContext
    ) {
        guard unsafe tasklet.pointee.tryToRun() else { return unsafe putBack(tasklet, priority, raise: true) }
        if unsafe tasklet.pointee.disableCount.load(ordering: .sequentiallyConsistent) != 0 {
            return unsafe skip(tasklet, priority)
        }
        // From here on it can be scheduled again.
        _ = unsafe tasklet.pointee.state.bitwiseAnd(~TaskletCore.scheduled, ordering: .sequentiallyConsistent)
        unsafe call(tasklet, context)
        if unsafe tasklet.pointee.clear(TaskletCore.running) { wakeWaiters() }
    }

    @_semantics("no_performance_analysis") @inline(__always)
    private static func call(_ tasklet: TaskletCore.Pointer, _ context: borrowing SoftInterruptContext) {
        unsafe tasklet.pointee.handler(context, tasklet.pointee.word)
    }

    /// A disabled tasklet: stays in the queue, unless it is being killed.
    @inline(never)
    private static func skip(_ tasklet: TaskletCore.Pointer, _ priority: Priority) {
        if unsafe tasklet.pointee.state.load(ordering: .sequentiallyConsistent) & TaskletCore.dying != 0 {
            if unsafe tasklet.pointee.clear(TaskletCore.running | TaskletCore.scheduled) { wakeWaiters() }
            return
        }
        // In the queue before `running` is cleared: whoever kills it looks at both bits.
        unsafe putBack(tasklet, priority, raise: false)
        if unsafe tasklet.pointee.clear(TaskletCore.running) { wakeWaiters() }
    }

    @inline(never)
    private static func putBack(_ tasklet: TaskletCore.Pointer, _ priority: Priority, raise: Bool) {
        withInterruptsOff { off in
            unsafe queue(tasklet, priority, off)
            if raise { SoftInterrupts.raise(priority.vector, off) }
        }
    }

    // MARK: Enabling and killing

    static func enable(_ tasklet: TaskletCore.Pointer) throws(Errno) {
        let old = unsafe tasklet.pointee.disableCount.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            .oldValue
        if old <= 0 {
            _ = unsafe tasklet.pointee.disableCount.wrappingAdd(1, ordering: .sequentiallyConsistent)
            let name = unsafe tasklet.pointee.name
            printk(.error, "tasklet \(name): enabled, but it was not disabled")
            throw .invalid
        }
        if old == 1 { unsafe lookAgain(tasklet) }
    }

    /// Makes the CPU that has the tasklet in its queue, if one has, run the queue.
    private static func lookAgain(_ tasklet: TaskletCore.Pointer) {
        guard
            unsafe tasklet.pointee.state.load(ordering: .sequentiallyConsistent) & TaskletCore.scheduled != 0
        else { return }
        // Perhaps of before the tasklet was queued again; then the queueing CPU raises, and looks after this.
        let cpu = unsafe Int(tasklet.pointee.cpu.load(ordering: .relaxed))
        SoftInterrupts.raise(.high, onCPU: cpu)
        SoftInterrupts.raise(.tasklet, onCPU: cpu)
    }

    static func kill(_ tasklet: TaskletCore.Pointer, _ task: borrowing TaskContext) {
        _ = unsafe tasklet.pointee.state.bitwiseOr(TaskletCore.dying, ordering: .sequentiallyConsistent)
        // One that is disabled waits in a queue at which nobody would look.
        if unsafe tasklet.pointee.disableCount.load(ordering: .sequentiallyConsistent) != 0 {
            unsafe lookAgain(tasklet)
        }
        unsafe awaitIdle(tasklet, TaskletCore.running | TaskletCore.scheduled, task)
        _ = unsafe tasklet.pointee.state.bitwiseOr(TaskletCore.dead, ordering: .relaxed)
    }

    /// Sleeps until none of `bits` is set.
    static func awaitIdle(_ tasklet: TaskletCore.Pointer, _ bits: UInt32, _ task: borrowing TaskContext) {
        unsafe DeferredState.current.pointee.taskletWaiters.waitUninterruptibly(task) {
            unsafe tasklet.pointee.state.bitwiseOr(TaskletCore.awaited, ordering: .sequentiallyConsistent)
                .oldValue & bits == 0
        }
    }

    @inline(never)
    private static func wakeWaiters() { unsafe DeferredState.current.pointee.taskletWaiters.wakeAll() }
}
